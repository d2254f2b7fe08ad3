// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>dup, dup2, dup3.</content>
public static partial class Handlers
{
    /// <summary>dup(2)</summary>
    public static partial SyscallResult Dup(Task task, int oldfd) =>
        task.Descriptors.Get(oldfd) is { } file ? Descriptors.Install(task, file, closeOnExec: false) : Errno.EBADF;

    /// <summary>dup2(2)</summary>
    public static partial SyscallResult Dup2(Task task, int oldfd, int newfd)
    {
        if (oldfd != newfd)
        {
            return Duplicate(task, oldfd, newfd, closeOnExec: false);
        }

        return task.Descriptors.GetCloseOnExec(oldfd, out _) is var error and not Errno.None ? error : newfd;
    }

    /// <summary>dup3(2)</summary>
    public static partial SyscallResult Dup3(Task task, int oldfd, int newfd, int flags) =>
        (flags & ~(int)OpenFlags.CloseOnExec) != 0 || oldfd == newfd ? Errno.EINVAL : Duplicate(task, oldfd, newfd, flags != 0);

    private static SyscallResult Duplicate(Task task, int oldfd, int newfd, bool closeOnExec)
    {
        if (newfd < 0 || newfd >= task.FileLimit)
        {
            return Errno.EBADF;
        }

        FdTable table = task.Descriptors;
        if (table.Get(oldfd) is not { } file)
        {
            return Errno.EBADF;
        }

        if (table.InstallAt(newfd, file, closeOnExec) is { } old)
        {
            _ = table.Close(old, task); // As Linux: the error of the file that goes is not told.
        }

        return newfd;
    }
}
