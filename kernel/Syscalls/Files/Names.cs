// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>mkdir, mkdirat, mknod, mknodat, symlink, symlinkat, rmdir, unlink, unlinkat.</content>
public static partial class Handlers
{
    /// <summary>mkdir(2)</summary>
    public static partial Blocking<SyscallResult> Mkdir(Task task, UserPtr path, uint mode) => Mkdirat(task, AtFlags.FdCwd, path, mode);

    /// <summary>mkdirat(2)</summary>
    public static partial Blocking<SyscallResult> Mkdirat(Task task, int dirfd, UserPtr path, uint mode)
    {
        Errno error = Paths.Start(task, dirfd, path, out string text, out WalkStart start);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.MakeDirectory(task.Operation, start.Root, start.Directory, text, mode);
            start.Release();
        }

        return (SyscallResult)error;
    }

    /// <summary>mknod(2)</summary>
    public static partial Blocking<SyscallResult> Mknod(Task task, UserPtr path, uint mode, ulong dev) => Mknodat(task, AtFlags.FdCwd, path, mode, dev);

    /// <summary>mknodat(2)</summary>
    public static partial Blocking<SyscallResult> Mknodat(Task task, int dirfd, UserPtr path, uint mode, ulong dev)
    {
        Errno error = Paths.Start(task, dirfd, path, out string text, out WalkStart start);
        if (error == Errno.None)
        {
            // The call's device number has 32 bits: 12 of major, 20 of minor.
            error = VirtualFileSystem.MakeNode(task.Operation, start.Root, start.Directory, text, mode & 0xffff, dev & uint.MaxValue);
            start.Release();
        }

        return (SyscallResult)error;
    }

    /// <summary>symlink(2)</summary>
    public static partial Blocking<SyscallResult> Symlink(Task task, UserPtr target, UserPtr linkpath) => Symlinkat(task, target, AtFlags.FdCwd, linkpath);

    /// <summary>symlinkat(2)</summary>
    public static partial Blocking<SyscallResult> Symlinkat(Task task, UserPtr target, int newdirfd, UserPtr linkpath)
    {
        Errno error = Paths.Read(task, target, out string text);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Paths.Start(task, newdirfd, linkpath, out string path, out WalkStart start);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.MakeSymlink(task.Operation, start.Root, start.Directory, path, text);
            start.Release();
        }

        return (SyscallResult)error;
    }

    /// <summary>rmdir(2)</summary>
    public static partial Blocking<SyscallResult> Rmdir(Task task, UserPtr path) => Unlinkat(task, AtFlags.FdCwd, path, AtFlags.RemoveDirectory);

    /// <summary>unlink(2)</summary>
    public static partial Blocking<SyscallResult> Unlink(Task task, UserPtr path) => Unlinkat(task, AtFlags.FdCwd, path, 0);

    /// <summary>unlinkat(2)</summary>
    public static partial Blocking<SyscallResult> Unlinkat(Task task, int dirfd, UserPtr path, int flags)
    {
        if ((flags & ~AtFlags.RemoveDirectory) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Paths.Start(task, dirfd, path, out string text, out WalkStart start);
        if (error == Errno.None)
        {
            error = flags != 0
                ? VirtualFileSystem.RemoveDirectory(task.Operation, start.Root, start.Directory, text)
                : VirtualFileSystem.Unlink(task.Operation, start.Root, start.Directory, text);
            start.Release();
        }

        return (SyscallResult)error;
    }
}
