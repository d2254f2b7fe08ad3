// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls.Support;

/// <summary>A signal mask for the length of one call (ppoll, pselect, epoll_pwait).</summary>
internal static class TemporaryMask
{
    private const ulong SetBytes = 8;

    /// <summary>Sets the mask that a pointer leads to; NULL leaves the task's own.</summary>
    /// <returns>None; EINVAL for a set of another size; EFAULT.</returns>
    internal static Errno Begin(Task task, UserPtr mask, ulong size)
    {
        if (mask.IsNull)
        {
            return Errno.None;
        }

        if (size != SetBytes)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(mask, out SignalSet wanted);
        if (error == Errno.None)
        {
            task.SetTemporarySignalMask(wanted);
        }

        return error;
    }

    /// <summary>Puts the mask back once the call is done; after an interruption the signal code does it, for the signal is to be taken first.</summary>
    internal static Blocking<SyscallResult> End(Task task, Blocking<SyscallResult> call) =>
        call.IsCompleted ? (Blocking<SyscallResult>)End(task, call.Take()) : EndLater(task, call);

    private static async Blocking<SyscallResult> EndLater(Task task, Blocking<SyscallResult> call) => End(task, await call);

    private static SyscallResult End(Task task, SyscallResult result)
    {
        if (!result.IsRestart && result.Error != Errno.EINTR)
        {
            task.RestoreSignalMask();
        }

        return result;
    }
}
