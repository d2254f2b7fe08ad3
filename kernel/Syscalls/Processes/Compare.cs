// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>kcmp, pidfd_getfd.</content>
public static partial class Handlers
{
    private const int CompareFile = 0, CompareMemory = 1, CompareFiles = 2, CompareFs = 3, CompareHandlers = 4, CompareIo = 5, CompareUndo = 6;
    private const int IsEqual = 0, IsLess = 1, IsGreater = 2, IsOther = 3;

    /// <summary>kcmp(2)</summary>
    public static partial SyscallResult Kcmp(Task task, int pid1, int pid2, int type, ulong idx1, ulong idx2)
    {
        Task? one = task.Kernel.Tasks.FindTask(task.PidNamespace, pid1);
        Task? two = task.Kernel.Tasks.FindTask(task.PidNamespace, pid2);
        if (one is null || two is null)
        {
            return Errno.ESRCH;
        }

        if (!TaskAccess.MayInspect(task, one) || !TaskAccess.MayInspect(task, two))
        {
            return Errno.EPERM;
        }

        switch (type)
        {
            case CompareFile:
                FileDescription? first = idx1 > int.MaxValue || one.HasExited ? null : one.Descriptors.Get((int)idx1);
                FileDescription? second = idx2 > int.MaxValue || two.HasExited ? null : two.Descriptors.Get((int)idx2);
                SyscallResult result = first is null || second is null ? Errno.EBADF : Order(first, second);
                first?.Unreference();
                second?.Unreference();
                return result;
            case CompareMemory:
                return Order(one.Memory, two.Memory);
            case CompareFiles:
                return Order(one.Descriptors, two.Descriptors);
            case CompareFs:
                return Order(one.Fs, two.Fs);
            case CompareHandlers:
                return one.ThreadGroup.SharesHandlersWith(two.ThreadGroup) ? IsEqual : Order(one.ThreadGroup, two.ThreadGroup);
            case CompareIo or CompareUndo:
                return Order(one, two); // Nothing of the kind is shared between tasks.
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>pidfd_getfd(2)</summary>
    public static partial SyscallResult PidfdGetfd(Task task, int pidfd, int targetfd, uint flags)
    {
        if (flags != 0)
        {
            return Errno.EINVAL;
        }

        if (task.Descriptors.Get(pidfd) is not { } handle)
        {
            return Errno.EBADF;
        }

        ThreadGroup? process = (handle as PidFd)?.Process;
        handle.Unreference();
        if (process is null)
        {
            return Errno.EBADF;
        }

        Task target = process.Leader;
        if (process.IsZombie || target.HasExited)
        {
            return Errno.ESRCH;
        }

        if (!TaskAccess.MayAttach(task, target))
        {
            return Errno.EPERM;
        }

        if (target.Descriptors.Get(targetfd) is not { } file)
        {
            return Errno.EBADF;
        }

        Errno error = task.Descriptors.Install(file, closeOnExec: true, task.FileLimit, out int fd);
        if (error != Errno.None)
        {
            file.Unreference();
            return error;
        }

        return fd;
    }

    /// <summary>An order of objects that stays as it is while they live; <see cref="IsOther"/> where there is none.</summary>
    private static int Order(object one, object two)
    {
        int first = RuntimeHelpers.GetHashCode(one);
        int second = RuntimeHelpers.GetHashCode(two);
        return one == two ? IsEqual : first < second ? IsLess : first > second ? IsGreater : IsOther;
    }
}
