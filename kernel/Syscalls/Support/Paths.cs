// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls.Support;

/// <summary>Where a walk starts: the root directory and the directory of relative paths, both referenced until <see cref="Release"/>.</summary>
/// <param name="Root">The root directory.</param>
/// <param name="Directory">Where relative paths start.</param>
internal readonly record struct WalkStart(VfsPath Root, VfsPath Directory)
{
    /// <summary>Gives the references back.</summary>
    internal void Release()
    {
        Root.Unreference();
        Directory.Unreference();
    }
}

/// <summary>Paths and directory descriptors, for handlers.</summary>
internal static class Paths
{
    /// <summary>Reads a path from the guest.</summary>
    /// <returns>None, EFAULT, or ENAMETOOLONG.</returns>
    internal static Errno Read(Task task, UserPtr pointer, out string path) =>
        task.Memory.CopyInString(pointer, VirtualFileSystem.MaximumPath, Errno.ENAMETOOLONG, out path);

    /// <summary>Finds where a path is walked from. The caller releases it.</summary>
    /// <param name="task">Whose root and descriptors.</param>
    /// <param name="dirfd">AT_FDCWD or a descriptor; not looked at for an absolute path.</param>
    /// <param name="path">The path.</param>
    /// <param name="start">Where.</param>
    /// <param name="flags">With <see cref="WalkFlags.InRoot"/> the descriptor's directory is where absolute paths start, too.</param>
    /// <returns>None; EBADF; ENOTDIR when the descriptor is not a directory's.</returns>
    internal static Errno Start(Task task, int dirfd, string path, out WalkStart start, WalkFlags flags = WalkFlags.None)
    {
        start = default;
        bool isAbsolute = path.Length > 0 && path[0] == '/' && (flags & WalkFlags.InRoot) == 0;
        if (dirfd == AtFlags.FdCwd || isAbsolute)
        {
            start = new WalkStart(task.Fs.GetRoot(), task.Fs.GetWorkingDirectory());
            return Errno.None;
        }

        if (task.Descriptors.Get(dirfd) is not { } file)
        {
            return Errno.EBADF;
        }

        VfsPath place = file.GetPlace();
        file.Unreference();
        if (path.Length > 0 && place.Dentry?.IsDirectory != true)
        {
            place.Unreference();
            return Errno.ENOTDIR;
        }

        start = new WalkStart(task.Fs.GetRoot(), place);
        return Errno.None;
    }

    /// <summary>Reads a path and finds where it is walked from.</summary>
    internal static Errno Start(Task task, int dirfd, UserPtr pointer, out string path, out WalkStart start, WalkFlags flags = WalkFlags.None)
    {
        start = default;
        Errno error = Read(task, pointer, out path);
        return error != Errno.None ? error : Start(task, dirfd, path, out start, flags);
    }

    /// <summary>Finds the place that a path leads to; the caller gives its references back.</summary>
    internal static Errno Resolve(Task task, int dirfd, UserPtr pointer, WalkFlags flags, out VfsPath place)
    {
        place = default;
        Errno error = Start(task, dirfd, pointer, out string path, out WalkStart start);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.Resolve(task.Operation, start.Root, start.Directory, path, flags, out place);
            start.Release();
        }

        return error;
    }

    /// <summary>How AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH make a walk go.</summary>
    internal static WalkFlags FlagsOf(int atFlags) =>
        ((atFlags & AtFlags.SymlinkNoFollow) == 0 ? WalkFlags.FollowLast : WalkFlags.None) | ((atFlags & AtFlags.EmptyPath) != 0 ? WalkFlags.AllowEmpty : WalkFlags.None);

    /// <summary>The place of an open file, O_PATH included; the caller gives its references back.</summary>
    internal static Errno OfDescriptor(Task task, int fd, out VfsPath place)
    {
        place = default;
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return Errno.EBADF;
        }

        place = file.GetPlace();
        file.Unreference();
        return place.IsValid ? Errno.None : Errno.EBADF;
    }
}
