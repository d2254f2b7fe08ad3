// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>Names that go (unlink(2), rmdir(2)).</summary>
public static partial class VirtualFileSystem
{
    /// <summary>Removes a name that is not a directory's.</summary>
    public static Errno Unlink(in OperationContext context, VfsPath root, VfsPath start, string path) => Remove(context, root, start, path, isDirectory: false);

    /// <summary>Removes an empty directory.</summary>
    public static Errno RemoveDirectory(in OperationContext context, VfsPath root, VfsPath start, string path) => Remove(context, root, start, path, isDirectory: true);

    private static Errno Remove(in OperationContext context, VfsPath root, VfsPath start, string path, bool isDirectory)
    {
        Errno error = PathWalker.Begin(context, root, start, path, WalkFlags.None, out PathWalker walker);
        if (error != Errno.None)
        {
            return error;
        }

        error = walker.WalkToParent();
        VfsPath directory = walker.Current;
        if (error == Errno.None && !walker.IsName)
        {
            error = !isDirectory ? Errno.EISDIR : walker.Name switch { "." => Errno.EINVAL, ".." => Errno.ENOTEMPTY, _ => Errno.EBUSY };
        }

        if (error == Errno.None)
        {
            error = !directory.Dentry!.IsDirectory ? Errno.ENOTDIR : directory.Mount!.IsReadOnly ? Errno.EROFS : Errno.None;
        }

        if (error == Errno.None)
        {
            Dentry? child;
            lock (directory.Dentry!.Lock)
            {
                error = DentryCache.LookupLocked(context, directory.Dentry, walker.Name, out child);
                if (error == Errno.None)
                {
                    error = child is null ? Errno.ENOENT : RemoveLocked(context, directory, walker, child, isDirectory);
                }
            }

            if (error == Errno.None)
            {
                FileEvents.OnRemoved(directory, child!, walker.Name);
            }

            child?.Unreference();
        }

        walker.End();
        return error;
    }

    [RequiresLock("directory.Dentry.Lock")]
    private static Errno RemoveLocked(in OperationContext context, VfsPath directory, in PathWalker walker, Dentry child, bool isDirectory)
    {
        if (!isDirectory && walker.HasTrailingSlash)
        {
            return child.IsDirectory ? Errno.EISDIR : Errno.ENOTDIR;
        }

        Errno error = CheckMayRemove(context, directory, child, isDirectory);
        if (error != Errno.None)
        {
            return error;
        }

        if (Volatile.Read(ref child.MountCount) != 0)
        {
            return Errno.EBUSY;
        }

        if (isDirectory)
        {
            lock (child.Lock)
            {
                error = directory.Inode.RemoveDirectory(context, walker.Name, child.Inode!);
                if (error == Errno.None)
                {
                    DentryCache.DropNegativesLocked(child);
                    child.IsUnlinked = true;
                }
            }
        }
        else
        {
            error = directory.Inode.Unlink(context, walker.Name, child.Inode!);
            child.IsUnlinked |= error == Errno.None;
        }

        if (error == Errno.None)
        {
            _ = directory.Dentry!.RemoveChildLocked(child);
        }

        return error;
    }
}
