// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>Opening (open(2), do_filp_open()).</summary>
public static partial class VirtualFileSystem
{
    private const OpenFlags PathFlags = OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec;

    /// <summary>Opens a file by path, making it when asked to.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="flags">O_* flags.</param>
    /// <param name="mode">Permission bits of a file that is made; the umask is applied here.</param>
    /// <param name="walk">RESOLVE_* restrictions (openat2(2)).</param>
    /// <returns>The description, with one reference.</returns>
    public static Blocking<OpenResult> Open(in OperationContext context, VfsPath root, VfsPath start, string path, OpenFlags flags, uint mode = 0, WalkFlags walk = WalkFlags.None)
    {
        Errno error = Normalize(ref flags);
        if (error != Errno.None)
        {
            return (OpenResult)error;
        }

        walk |= (flags & OpenFlags.Directory) != 0 && (flags & OpenFlags.Create) == 0 ? WalkFlags.RequireDirectory : WalkFlags.None;
        walk |= (flags & OpenFlags.NoFollow) == 0 ? WalkFlags.FollowLast : WalkFlags.None;
        if ((flags & OpenFlags.TempFile) == OpenFlags.TempFile)
        {
            return OpenUnnamed(context, root, start, path, flags, mode, walk);
        }

        VfsPath place;
        bool isNew = false;
        error = (flags & OpenFlags.Create) != 0
            ? FindOrCreate(context, root, start, path, flags, mode, walk, out place, out isNew)
            : PathWalker.Resolve(context, root, start, path, walk, out place);
        return error != Errno.None ? (OpenResult)error : OpenOwned(context, place, flags, isNew);
    }

    /// <summary>Opens the file at a place again, as open(2) of /proc/self/fd/N does.</summary>
    /// <param name="context">Who.</param>
    /// <param name="place">Where; the caller keeps its references.</param>
    /// <param name="flags">O_* flags; O_CREAT and O_EXCL mean nothing here.</param>
    public static Blocking<OpenResult> OpenPlace(in OperationContext context, VfsPath place, OpenFlags flags)
    {
        Errno error = Normalize(ref flags);
        if (error != Errno.None)
        {
            return (OpenResult)error;
        }

        place.Reference();
        return OpenOwned(context, place, flags & ~(OpenFlags.Create | OpenFlags.Exclusive), isNew: false);
    }

    /// <summary>Checks flags against each other (build_open_flags()) and drops those without meaning.</summary>
    private static Errno Normalize(ref OpenFlags flags)
    {
        if ((flags & OpenFlags.Path) != 0)
        {
            flags &= PathFlags;
            return Errno.None;
        }

        const OpenFlags TempBit = OpenFlags.TempFile & ~OpenFlags.Directory;
        if ((flags & TempBit) != 0)
        {
            bool isWritable = (flags & OpenFlags.AccessModeMask) is OpenFlags.WriteOnly or OpenFlags.ReadWrite;
            return (flags & OpenFlags.Directory) == 0 || !isWritable || (flags & OpenFlags.Create) != 0 ? Errno.EINVAL : Errno.None;
        }

        return (flags & (OpenFlags.Create | OpenFlags.Directory)) == (OpenFlags.Create | OpenFlags.Directory) ? Errno.EINVAL : Errno.None;
    }

    /// <summary>Opens a place whose references are the callee's.</summary>
    private static Blocking<OpenResult> OpenOwned(in OperationContext context, VfsPath place, OpenFlags flags, bool isNew)
    {
        Inode inode = place.Inode;
        Errno error = isNew ? Errno.None : CheckMayOpen(context.Credentials, place, inode, flags);
        if (error != Errno.None)
        {
            place.Unreference();
            return (OpenResult)error;
        }

        if ((flags & OpenFlags.Path) != 0)
        {
            PathDescription description = new(place, flags);
            place.Unreference();
            return (OpenResult)description;
        }

        return Complete(context, place, flags, !isNew && (flags & OpenFlags.Truncate) != 0 && inode.Type == FileType.Regular);
    }

    private static async Blocking<OpenResult> Complete(OperationContext context, VfsPath place, OpenFlags flags, bool truncates)
    {
        Inode inode = place.Inode;
        bool isWriter = inode.Type == FileType.Regular && (truncates || (flags & OpenFlags.AccessModeMask) != OpenFlags.ReadOnly);
        if (isWriter && !inode.TryAddWriter())
        {
            place.Unreference();
            return Errno.ETXTBSY;
        }

        OpenResult result = await inode.Open(context, place, flags);
        if (result.Error == Errno.None && truncates)
        {
            Errno error = TruncateInode(context, inode, 0);
            if (error != Errno.None)
            {
                result.Description!.Unreference();
                result = error;
            }
        }

        if (result.Description is { } opened && context.Task is not null)
        {
            FileEvents.OnOpened(opened);
            if (truncates)
            {
                FileEvents.OnModified(opened);
            }
        }

        if (isWriter)
        {
            if (result.Description is { IsWritable: true } writer)
            {
                writer.HoldWriteAccess(inode);
            }
            else
            {
                inode.RemoveWriter();
            }
        }

        place.Unreference();
        return result;
    }

    private static Errno CheckMayOpen(UserCredentials credentials, VfsPath place, Inode inode, OpenFlags flags)
    {
        if ((flags & OpenFlags.Path) != 0)
        {
            return Errno.None;
        }

        bool writes = (flags & OpenFlags.AccessModeMask) != OpenFlags.ReadOnly || (flags & OpenFlags.Truncate) != 0;
        switch (inode.Type)
        {
            case FileType.Symlink:
                return Errno.ELOOP;
            case FileType.Directory when writes || (flags & OpenFlags.Create) != 0:
                return Errno.EISDIR;
            case FileType.Directory when (flags & OpenFlags.ForExecution) != 0:
                return Errno.EACCES;
            case FileType.CharacterDevice or FileType.BlockDevice when (place.Mount!.Flags & MountFlags.NoDevices) != 0:
                return Errno.EACCES;
        }

        if ((flags & OpenFlags.ForExecution) != 0)
        {
            return inode.Type != FileType.Regular || (place.Mount!.Flags & MountFlags.NoExecute) != 0 ? Errno.EACCES : inode.CheckAccess(credentials, AccessMode.Execute);
        }

        AccessMode access = (flags & OpenFlags.AccessModeMask) switch
        {
            OpenFlags.ReadOnly => AccessMode.Read,
            OpenFlags.WriteOnly => AccessMode.Write,
            _ => AccessMode.Read | AccessMode.Write, // 3 too: ioctl-only opens need both.
        };
        access |= writes ? AccessMode.Write : AccessMode.None;
        Errno error = CheckAccess(credentials, place, access);
        if (error != Errno.None || (flags & OpenFlags.NoAccessTime) == 0)
        {
            return error;
        }

        error = inode.GetAttributes(out Attributes attributes);
        return error != Errno.None ? error : IsOwner(credentials, attributes) ? Errno.None : Errno.EPERM;
    }

    private static Errno FindOrCreate(in OperationContext context, VfsPath root, VfsPath start, string path, OpenFlags flags, uint mode, WalkFlags walk, out VfsPath place, out bool isNew)
    {
        place = default;
        isNew = false;
        Errno error = PathWalker.Begin(context, root, start, path, walk, out PathWalker walker);
        if (error != Errno.None)
        {
            return error;
        }

        bool isDone = false;
        while (error == Errno.None && !isDone)
        {
            error = walker.WalkToParent();
            if (error != Errno.None)
            {
                break;
            }

            if (!walker.IsName || walker.HasTrailingSlash)
            {
                error = Errno.EISDIR;
                break;
            }

            error = FindOrCreateLast(context, ref walker, flags, mode, walk, out isNew, out isDone);
        }

        place = walker.TakeCurrent(error);
        return error;
    }

    private static Errno FindOrCreateLast(in OperationContext context, ref PathWalker walker, OpenFlags flags, uint mode, WalkFlags walk, out bool isNew, out bool isDone)
    {
        VfsPath directory = walker.Current;
        isNew = false;
        isDone = true;
        if (!directory.Dentry!.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        Dentry? child;
        Errno error;
        lock (directory.Dentry.Lock)
        {
            error = DentryCache.LookupLocked(context, directory.Dentry, walker.Name, out child);
            if (error == Errno.None && child is null)
            {
                error = CreateLocked(context, directory, walker.Name, new Creation { Type = FileType.Regular, Mode = mode }, out child);
                isNew = error == Errno.None;
            }
        }

        if (error != Errno.None)
        {
            return error;
        }

        if (isNew)
        {
            FileEvents.OnCreated(directory, child!);
            return walker.MoveTo(child!);
        }

        if ((flags & OpenFlags.Exclusive) != 0)
        {
            child!.Unreference();
            return Errno.EEXIST;
        }

        if (child!.Inode!.Type == FileType.Symlink)
        {
            error = (walk & WalkFlags.FollowLast) != 0 ? walker.FollowLink(child.Inode, out isDone) : Errno.ELOOP;
            child.Unreference();
            return error;
        }

        return walker.MoveTo(child);
    }

    private static Blocking<OpenResult> OpenUnnamed(in OperationContext context, VfsPath root, VfsPath start, string path, OpenFlags flags, uint mode, WalkFlags walk)
    {
        Errno error = PathWalker.Resolve(context, root, start, path, walk | WalkFlags.RequireDirectory, out VfsPath directory);
        if (error != Errno.None)
        {
            return (OpenResult)error;
        }

        error = CheckMayAdd(context, directory);
        Inode? inode = null;
        if (error == Errno.None)
        {
            error = directory.Inode.CreateUnnamed(context, mode & ModeBits.PermissionMask & ~UmaskOf(context), out inode);
        }

        if (error != Errno.None)
        {
            directory.Unreference();
            return (OpenResult)error;
        }

        // As d_tmpfile(): "#" and the number, a name that no lookup finds.
        Dentry dentry = new(directory.Dentry!.FileSystem, directory.Dentry, "#" + (inode!.GetAttributes(out Attributes attributes) == Errno.None ? attributes.Inode : 0), inode) { IsUnlinked = true };
        VfsPath place = new(directory.Mount, dentry);
        place.Reference();
        directory.Unreference();
        return Complete(context, place, flags & ~OpenFlags.TempFile, truncates: false);
    }
}

/// <summary>A description opened with O_PATH: it names a place and does nothing else.</summary>
public sealed class PathDescription(VfsPath path, OpenFlags flags) : FileDescription(path, flags)
{
    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => mask & PollEvents.Nval;
}
