// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>pause, rt_sigsuspend, rt_sigtimedwait, restart_syscall.</content>
public static partial class Handlers
{
    /// <summary>pause(2)</summary>
    public static partial Blocking<SyscallResult> Pause(Task task) => WaitForHandler(task);

    /// <summary>rt_sigsuspend(2)</summary>
    public static partial Blocking<SyscallResult> RtSigsuspend(Task task, UserPtr mask, ulong sigsetsize)
    {
        if (sigsetsize != SignalSetSize)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(mask, out SignalSet wanted);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        task.SetTemporarySignalMask(wanted);
        return WaitForHandler(task);
    }

    /// <summary>rt_sigtimedwait(2)</summary>
    public static partial Blocking<SyscallResult> RtSigtimedwait(Task task, UserPtr set, UserPtr info, UserPtr timeout, ulong sigsetsize)
    {
        if (sigsetsize != SignalSetSize)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(set, out SignalSet wanted);
        if (error == Errno.None)
        {
            error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
            if (error == Errno.None)
            {
                return AwaitSignal(task, wanted, info, deadlineNs);
            }
        }

        return (SyscallResult)error;
    }

    /// <summary>restart_syscall(2)</summary>
    public static partial Blocking<SyscallResult> RestartSyscall(Task task)
    {
        RestartBlock? block = task.RestartBlock;
        task.RestartBlock = null;
        return block?.Continue(task) ?? (SyscallResult)Errno.EINTR;
    }

    private static async Blocking<SyscallResult> WaitForHandler(Task task)
    {
        do
        {
            task.PrepareToWait();
        }
        while (await task.Block() != BlockOutcome.Interrupted);
        return SyscallResult.Restarts(Restart.IfNoHandler);
    }

    private static async Blocking<SyscallResult> AwaitSignal(Task task, SignalSet wanted, UserPtr info, long deadlineNs)
    {
        SignalInfo taken = await task.AwaitSignal(wanted, deadlineNs);
        if (taken.Signal == 0)
        {
            return (Errno)taken.Errno;
        }

        Errno error = info.IsNull ? Errno.None : taken.CopyOut(task.Memory, info);
        return error == Errno.None ? taken.Signal : error;
    }
}
