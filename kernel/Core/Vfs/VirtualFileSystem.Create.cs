// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>New names (mkdir(2), mknod(2), symlink(2), link(2)).</summary>
public static partial class VirtualFileSystem
{
    /// <summary>What is to be made.</summary>
    private readonly struct Creation
    {
        internal FileType Type { get; init; }

        internal uint Mode { get; init; }

        internal ulong Device { get; init; }

        internal string? Target { get; init; }

        internal Inode? Existing { get; init; }
    }

    /// <summary>Makes a directory.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="mode">Permission bits; the umask is applied here.</param>
    public static Errno MakeDirectory(in OperationContext context, VfsPath root, VfsPath start, string path, uint mode) =>
        Create(context, root, start, path, new Creation { Type = FileType.Directory, Mode = mode & (0x1ff | ModeBits.Sticky) });

    /// <summary>Makes a file of any type but directory and link (mknod(2)).</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="mode">Type and permission bits; type 0 is a regular file; the umask is applied here.</param>
    /// <param name="device">The number of a device.</param>
    public static Errno MakeNode(in OperationContext context, VfsPath root, VfsPath start, string path, uint mode, ulong device)
    {
        FileType type = (mode & ModeBits.TypeMask) == 0 ? FileType.Regular : ModeBits.TypeOf(mode);
        switch (type)
        {
            case FileType.Directory:
                return Errno.EPERM;
            case FileType.Regular or FileType.Fifo or FileType.Socket:
                break;
            case FileType.CharacterDevice or FileType.BlockDevice:
                // A whiteout (0, 0) may be made by anyone (vfs_mknod()).
                if (!(type == FileType.CharacterDevice && device == 0) && !context.Credentials.Has(Capability.Mknod))
                {
                    return Errno.EPERM;
                }

                break;
            default:
                return Errno.EINVAL;
        }

        return Create(context, root, start, path, new Creation { Type = type, Mode = mode, Device = device });
    }

    /// <summary>Makes a socket's file and gives its place (bind(2) of a Unix socket); EADDRINUSE when the name exists.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="mode">Permission bits; the umask is applied here.</param>
    /// <param name="place">The new file, with references.</param>
    public static Errno MakeSocket(in OperationContext context, VfsPath root, VfsPath start, string path, uint mode, out VfsPath place)
    {
        Errno error = Create(context, root, start, path, new Creation { Type = FileType.Socket, Mode = mode }, out place);
        return error == Errno.EEXIST ? Errno.EADDRINUSE : error;
    }

    /// <summary>Makes a symbolic link.</summary>
    public static Errno MakeSymlink(in OperationContext context, VfsPath root, VfsPath start, string path, string target) =>
        target.Length == 0 ? Errno.ENOENT : Create(context, root, start, path, new Creation { Type = FileType.Symlink, Target = target });

    /// <summary>Makes a further name of a file.</summary>
    /// <param name="context">Who.</param>
    /// <param name="existing">The file.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The new name.</param>
    public static Errno Link(in OperationContext context, VfsPath existing, VfsPath root, VfsPath start, string path)
    {
        Errno error = PathWalker.Begin(context, root, start, path, WalkFlags.None, out PathWalker walker);
        if (error != Errno.None)
        {
            return error;
        }

        error = walker.WalkToParent();
        Dentry? made = null;
        VfsPath directory = walker.Current;
        if (error == Errno.None)
        {
            error = !walker.IsName ? Errno.EEXIST : !directory.Dentry!.IsDirectory ? Errno.ENOTDIR : Errno.None;
        }

        if (error == Errno.None)
        {
            lock (directory.Dentry!.Lock)
            {
                error = CheckAbsentLocked(context, directory, walker.Name);
                error = error == Errno.None && existing.Mount != directory.Mount ? Errno.EXDEV : error;
                error = error == Errno.None && existing.Dentry!.IsDirectory ? Errno.EPERM : error;
                if (error == Errno.None)
                {
                    error = CreateLocked(context, directory, walker.Name, new Creation { Existing = existing.Inode, Type = existing.Inode.Type }, out made);
                }
            }
        }

        if (error == Errno.None)
        {
            FileEvents.OnLinked(directory, made!);
            made!.Unreference();
        }

        walker.End();
        return error;
    }

    private static Errno Create(in OperationContext context, VfsPath root, VfsPath start, string path, in Creation creation)
    {
        Errno error = Create(context, root, start, path, creation, out VfsPath place);
        place.Unreference();
        return error;
    }

    private static Errno Create(in OperationContext context, VfsPath root, VfsPath start, string path, in Creation creation, out VfsPath place)
    {
        place = default;
        Errno error = PathWalker.Begin(context, root, start, path, WalkFlags.None, out PathWalker walker);
        if (error != Errno.None)
        {
            return error;
        }

        error = walker.WalkToParent();
        VfsPath directory = walker.Current;
        if (error == Errno.None)
        {
            error = !walker.IsName ? Errno.EEXIST : !directory.Dentry!.IsDirectory ? Errno.ENOTDIR : Errno.None;
        }

        Dentry? made = null;
        if (error == Errno.None)
        {
            lock (directory.Dentry!.Lock)
            {
                error = CheckAbsentLocked(context, directory, walker.Name);
                if (error == Errno.None)
                {
                    // "name/" may be made as a directory only.
                    error = walker.HasTrailingSlash && creation.Type != FileType.Directory ? Errno.ENOENT : CreateLocked(context, directory, walker.Name, creation, out made);
                }
            }
        }

        if (error == Errno.None)
        {
            FileEvents.OnCreated(directory, made!);
            error = walker.MoveTo(made!);
        }

        place = walker.TakeCurrent(error);
        return error;
    }

    [RequiresLock("directory.Dentry.Lock")]
    private static Errno CheckAbsentLocked(in OperationContext context, VfsPath directory, string name)
    {
        Errno error = DentryCache.LookupLocked(context, directory.Dentry!, name, out Dentry? child);
        if (error == Errno.None && child is not null)
        {
            // The directory's lock is held, and the child is cached: its last reference is not ours.
            child.UnreferenceLocked();
            return Errno.EEXIST;
        }

        return error;
    }

    /// <summary>Makes a name that is absent; the dentry has one more reference.</summary>
    [RequiresLock("directory.Dentry.Lock")]
    private static Errno CreateLocked(in OperationContext context, VfsPath directory, string name, in Creation creation, out Dentry? made)
    {
        made = null;
        Errno error = CheckMayAdd(context, directory);
        if (error != Errno.None)
        {
            return error;
        }

        Inode parent = directory.Inode;
        uint mode = creation.Mode & ModeBits.PermissionMask & ~UmaskOf(context);
        Inode? inode = creation.Existing;
        if (inode is not null)
        {
            error = parent.Link(context, name, inode);
        }
        else
        {
            error = creation.Type switch
            {
                FileType.Directory => parent.MakeDirectory(context, name, mode, out inode),
                FileType.Regular => parent.Create(context, name, mode, out inode),
                FileType.Symlink => parent.MakeSymlink(context, name, creation.Target!, out inode),
                _ => parent.MakeNode(context, name, (uint)creation.Type | mode, creation.Device, out inode),
            };
        }

        if (error == Errno.None)
        {
            made = DentryCache.InsertLocked(directory.Dentry!, name, inode!);
        }

        return error;
    }
}
