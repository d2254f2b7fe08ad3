// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.FileSystems.Poll;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
internal struct GuestPollFd
{
    internal int Fd;
    internal ushort Events;
    internal ushort Returned;
}

/// <content>poll, ppoll.</content>
public static partial class Handlers
{
    /// <summary>poll(2)</summary>
    public static partial Blocking<SyscallResult> Poll(Task task, UserPtr fds, uint nfds, int timeout) =>
        PollRestarting(task, fds, nfds, GuestTime.AfterMilliseconds(timeout));

    /// <summary>ppoll(2)</summary>
    public static partial Blocking<SyscallResult> Ppoll(Task task, UserPtr fds, uint nfds, UserPtr timeout, UserPtr sigmask, ulong sigsetsize)
    {
        Errno error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        error = error != Errno.None ? error : TemporaryMask.Begin(task, sigmask, sigsetsize);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        Blocking<SyscallResult> call = PollUntil(task, fds, nfds, deadlineNs);
        if (!timeout.IsNull)
        {
            call = call.IsCompleted ? (Blocking<SyscallResult>)WriteRemaining(task, timeout, false, deadlineNs, call.Take()) : PollWithRemaining(task, timeout, deadlineNs, call);
        }

        return sigmask.IsNull ? call : TemporaryMask.End(task, call);
    }

    private static async Blocking<SyscallResult> PollWithRemaining(Task task, UserPtr timeout, long deadlineNs, Blocking<SyscallResult> call) =>
        WriteRemaining(task, timeout, false, deadlineNs, await call);

    private static Blocking<SyscallResult> PollRestarting(Task task, UserPtr fds, uint nfds, long deadlineNs)
    {
        Blocking<SyscallResult> call = PollUntil(task, fds, nfds, deadlineNs);
        return call.IsCompleted ? call : PollRestartingLater(task, fds, nfds, deadlineNs, call);
    }

    /// <summary>A poll that no handler cut short goes on until its first deadline (do_restart_poll()).</summary>
    private static async Blocking<SyscallResult> PollRestartingLater(Task task, UserPtr fds, uint nfds, long deadlineNs, Blocking<SyscallResult> call)
    {
        SyscallResult result = await call;
        if (!result.IsRestart)
        {
            return result;
        }

        task.RestartBlock = new PollRestart(fds, nfds, deadlineNs);
        return SyscallResult.Restarts(Restart.ByRestartBlock);
    }

    private sealed class PollRestart(UserPtr fds, uint nfds, long deadlineNs) : RestartBlock
    {
        public override Blocking<SyscallResult> Continue(Task task) => PollRestarting(task, fds, nfds, deadlineNs);
    }

    private static Blocking<SyscallResult> PollUntil(Task task, UserPtr fds, uint nfds, long deadlineNs)
    {
        if (nfds > unchecked((uint)task.FileLimit)) // never negative
        {
            return (SyscallResult)Errno.EINVAL;
        }

        PollSet set = PollSet.Rent(task);
        for (uint i = 0; i < nfds; i++)
        {
            Errno error = task.Memory.CopyIn(fds.Offset(i * 8), out GuestPollFd item);
            if (error != Errno.None)
            {
                set.Dispose();
                return (SyscallResult)error;
            }

            if (item.Fd >= 0)
            {
                set.Add(task.Descriptors.Get(item.Fd), (PollEvents)item.Events);
            }
            else
            {
                set.AddNothing();
            }
        }

        Blocking<BlockOutcome> wait = set.Wait(deadlineNs);
        return wait.IsCompleted ? (Blocking<SyscallResult>)PollResult(task, fds, set, wait.Take()) : PollLater(task, fds, set, wait);
    }

    private static async Blocking<SyscallResult> PollLater(Task task, UserPtr fds, PollSet set, Blocking<BlockOutcome> wait) =>
        PollResult(task, fds, set, await wait);

    private static SyscallResult PollResult(Task task, UserPtr fds, PollSet set, BlockOutcome outcome)
    {
        int ready = 0;
        using (set)
        {
            if (outcome == BlockOutcome.Interrupted)
            {
                return SyscallResult.Restarts(Restart.IfNoHandler);
            }

            for (int i = 0; i < set.Count; i++)
            {
                ushort events = (ushort)((uint)set[i] & ushort.MaxValue);
                ready += events != 0 ? 1 : 0;
                Errno error = task.Memory.CopyOut(fds.Offset(((ulong)i * 8) + 6), events);
                if (error != Errno.None)
                {
                    return error;
                }
            }
        }

        return ready;
    }
}
