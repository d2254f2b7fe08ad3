// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>rename, renameat, renameat2, link, linkat.</content>
public static partial class Handlers
{
    /// <summary>rename(2)</summary>
    public static partial Blocking<SyscallResult> Rename(Task task, UserPtr oldpath, UserPtr newpath) => Renameat2(task, AtFlags.FdCwd, oldpath, AtFlags.FdCwd, newpath, 0);

    /// <summary>renameat(2)</summary>
    public static partial Blocking<SyscallResult> Renameat(Task task, int olddirfd, UserPtr oldpath, int newdirfd, UserPtr newpath) =>
        Renameat2(task, olddirfd, oldpath, newdirfd, newpath, 0);

    /// <summary>renameat2(2)</summary>
    public static partial Blocking<SyscallResult> Renameat2(Task task, int olddirfd, UserPtr oldpath, int newdirfd, UserPtr newpath, uint flags)
    {
        Errno error = Paths.Start(task, olddirfd, oldpath, out string oldText, out WalkStart from);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Paths.Start(task, newdirfd, newpath, out string newText, out WalkStart to);
        if (error == Errno.None)
        {
            bool isWhiteout = ((RenameFlags)flags & RenameFlags.Whiteout) != 0;
            error = isWhiteout && !task.Credentials.Has(Capability.Mknod)
                ? Errno.EPERM
                : VirtualFileSystem.Rename(task.Operation, from.Root, from.Directory, oldText, to.Directory, newText, (RenameFlags)flags);
            to.Release();
        }

        from.Release();
        return (SyscallResult)error;
    }

    /// <summary>link(2)</summary>
    public static partial Blocking<SyscallResult> Link(Task task, UserPtr oldpath, UserPtr newpath) => Linkat(task, AtFlags.FdCwd, oldpath, AtFlags.FdCwd, newpath, 0);

    /// <summary>linkat(2)</summary>
    public static partial Blocking<SyscallResult> Linkat(Task task, int olddirfd, UserPtr oldpath, int newdirfd, UserPtr newpath, int flags)
    {
        if ((flags & ~(AtFlags.SymlinkFollow | AtFlags.EmptyPath)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        // A file that was passed in must not be given a name by someone who could not reach it.
        if ((flags & AtFlags.EmptyPath) != 0 && !task.Credentials.Has(Capability.DacReadSearch))
        {
            return (SyscallResult)Errno.ENOENT;
        }

        WalkFlags walk = (flags & AtFlags.SymlinkFollow) != 0 ? WalkFlags.FollowLast : WalkFlags.None;
        walk |= (flags & AtFlags.EmptyPath) != 0 ? WalkFlags.AllowEmpty : WalkFlags.None;
        Errno error = Paths.Resolve(task, olddirfd, oldpath, walk, out VfsPath existing);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Paths.Start(task, newdirfd, newpath, out string path, out WalkStart start);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.Link(task.Operation, existing, start.Root, start.Directory, path);
            start.Release();
        }

        existing.Unreference();
        return (SyscallResult)error;
    }
}
