// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>What can be done with paths: the layer between system calls (or the loader, or the boot code) and file systems.</summary>
/// <remarks>
/// Every operation takes who acts, the root directory, the directory where relative paths start, and the path; it walks the path, checks permissions, and calls the file system with the directory's
/// dentry lock held. Files: this one (walking, permissions), .Open.cs, .Create.cs (new names), .Remove.cs, .Rename.cs, .Attributes.cs, .Xattr.cs.
/// </remarks>
public static partial class VirtualFileSystem
{
    /// <summary>The longest path in bytes, the NUL included (PATH_MAX).</summary>
    public const int MaximumPath = 4096;

    /// <summary>Finds a place.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="flags">How.</param>
    /// <param name="result">The place, with references.</param>
    public static Errno Resolve(in OperationContext context, VfsPath root, VfsPath start, string path, WalkFlags flags, out VfsPath result) =>
        PathWalker.Resolve(context, root, start, path, flags, out result);

    /// <summary>Reads the text of a symbolic link.</summary>
    /// <returns>EINVAL when it is not one.</returns>
    public static Errno ReadLink(in OperationContext context, VfsPath link, out string target)
    {
        target = "";
        return link.Dentry!.Inode is not { } inode ? Errno.ENOENT : inode.Type != FileType.Symlink ? Errno.EINVAL : inode.ReadLink(context, out target);
    }

    /// <summary>Whether the credentials grant an access to a place (access(2)): mode bits, and EROFS for writing to what is mounted read-only.</summary>
    public static Errno CheckAccess(UserCredentials credentials, VfsPath place, AccessMode access)
    {
        if (place.Dentry!.Inode is not { } inode)
        {
            return Errno.ENOENT;
        }

        if ((access & AccessMode.Execute) != 0 && inode.Type == FileType.Regular && (place.Mount!.Flags & MountFlags.NoExecute) != 0)
        {
            return Errno.EACCES;
        }

        Errno error = access == AccessMode.None ? Errno.None : inode.CheckAccess(credentials, access);
        bool isOnDisk = inode.Type is FileType.Regular or FileType.Directory or FileType.Symlink;
        return error == Errno.None && (access & AccessMode.Write) != 0 && isOnDisk && place.Mount!.IsReadOnly ? Errno.EROFS : error;
    }

    /// <summary>Whether names may be added to a directory (may_create()).</summary>
    private static Errno CheckMayAdd(in OperationContext context, VfsPath directory)
    {
        if (directory.Dentry!.IsUnlinked)
        {
            return Errno.ENOENT;
        }

        return directory.Mount!.IsReadOnly ? Errno.EROFS : directory.Inode.CheckAccess(context.Credentials, AccessMode.Write | AccessMode.Execute);
    }

    /// <summary>Whether a name may be taken away (may_delete()): write permission, the sticky bit, and the kind that is expected.</summary>
    private static Errno CheckMayRemove(in OperationContext context, VfsPath directory, Dentry child, bool expectsDirectory)
    {
        Errno error = directory.Inode.CheckAccess(context.Credentials, AccessMode.Write | AccessMode.Execute);
        if (error != Errno.None)
        {
            return error;
        }

        error = CheckSticky(context.Credentials, directory.Inode, child.Inode!);
        if (error != Errno.None)
        {
            return error;
        }

        bool isDirectory = child.IsDirectory;
        return isDirectory == expectsDirectory ? Errno.None : isDirectory ? Errno.EISDIR : Errno.ENOTDIR;
    }

    private static Errno CheckSticky(UserCredentials credentials, Inode directory, Inode child)
    {
        Errno error = directory.GetAttributes(out Attributes parentAttributes);
        if (error != Errno.None || (parentAttributes.Mode & ModeBits.Sticky) == 0 || parentAttributes.Uid == credentials.FileUid || credentials.Has(Capability.Fowner))
        {
            return error;
        }

        error = child.GetAttributes(out Attributes attributes);
        return error != Errno.None ? error : attributes.Uid == credentials.FileUid ? Errno.None : Errno.EPERM;
    }

    /// <summary>Whether the credentials own a file or act as its owner (inode_owner_or_capable()).</summary>
    private static bool IsOwner(UserCredentials credentials, in Attributes attributes) =>
        credentials.FileUid == attributes.Uid || credentials.Has(Capability.Fowner);

    private static uint UmaskOf(in OperationContext context) => context.Task?.Fs.Umask ?? 0;
}
