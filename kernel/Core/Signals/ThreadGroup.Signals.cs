// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>Sending signals to a process (kernel/signal.c).</summary>
public sealed partial class ThreadGroup
{
    /// <summary>What the process does about signals; shared with the threads, and by CLONE_SIGHAND with other processes.</summary>
    internal SignalHandlers Handlers { get; set; }

    /// <summary>Whether another process has the very same actions (CLONE_SIGHAND).</summary>
    public bool SharesHandlersWith(ThreadGroup other) => Handlers == other.Handlers;

    /// <summary>Signals sent to the process as a whole.</summary>
    internal PendingSignals Pending { get; } = new();

    /// <summary>Told (readable) when a signal becomes pending for the process or one of its threads; for signalfd.</summary>
    public WaitQueue SignalEvents { get; } = new();

    /// <summary>Sends a signal to the process. Thread-safe.</summary>
    /// <param name="info">The signal (1..64).</param>
    /// <param name="force">Whether it comes from outside the process's PID namespace, so that a first process without handler cannot shrug off SIGKILL and SIGSTOP.</param>
    /// <returns>None; ESRCH when the process is gone; EAGAIN when too many real-time signals wait.</returns>
    public Errno Send(in SignalInfo info, bool force = false)
    {
        lock (Kernel.Tasks.Lock)
        {
            return IsDead ? Errno.ESRCH : SendLocked(info, force);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    internal Errno SendLocked(in SignalInfo info, bool force = false) => SendLocked(info, only: null, force);

    /// <summary>Sends a signal to the process or to one thread of it.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal Errno SendLocked(in SignalInfo info, Task? only, bool force)
    {
        int signal = info.Signal;
        if (IsZombie || only is { HasExited: true })
        {
            return Errno.None;
        }

        force |= info.IsFromKernel;
        PrepareLocked(signal);
        if (IsDroppedLocked(signal, only ?? Threads.Find(static t => !t.HasExited) ?? Leader, force))
        {
            return Errno.None;
        }

        PendingSignals pending = only?.Pending ?? Pending;
        if (!pending.Add(info, Limits[Resource.PendingSignals].Soft))
        {
            return Errno.EAGAIN;
        }

        SignalEvents.Notify(PollEvents.In | PollEvents.RdNorm);
        WakeForLocked(signal, only, force);
        return Errno.None;
    }

    /// <summary>SIGCONT takes pending stop signals away and lets the process go on, even when it is blocked or ignored; a stop signal takes SIGCONT away.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void PrepareLocked(int signal)
    {
        if (SignalSet.Stopping.Contains(signal))
        {
            DiscardLocked(SignalSet.Of(SignalNumber.SIGCONT));
        }
        else if (signal == SignalNumber.SIGCONT)
        {
            DiscardLocked(SignalSet.Stopping);
            ContinueLocked();
        }
    }

    [RequiresLock("TaskSet.Lock")]
    internal void DiscardLocked(SignalSet signals)
    {
        Pending.Discard(signals);
        foreach (Task thread in Threads)
        {
            thread.Pending.Discard(signals);
        }
    }

    /// <summary>Whether the signal has no effect and is not worth keeping.</summary>
    [RequiresLock("TaskSet.Lock")]
    private bool IsDroppedLocked(int signal, Task receiver, bool force)
    {
        // A blocked signal may get a handler before it is unblocked.
        if (receiver.SignalMask.Contains(signal) || receiver.AwaitedSignals.Contains(signal) || (receiver.Trace is not null && signal != SignalNumber.SIGKILL))
        {
            return false;
        }

        return IsProtectedFromLocked(signal, force) || Handlers.IsIgnored(signal);
    }

    /// <summary>Whether the default action of this signal does not touch the first process of a PID namespace.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal bool IsProtectedFromLocked(int signal, bool force) =>
        IsInit && Handlers[signal].Handler == SignalAction.Default && !(force && SignalSet.Unblockable.Contains(signal));

    /// <summary>Wakes a thread that takes the signal; one that is to end the process ends it at once.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void WakeForLocked(int signal, Task? only, bool force)
    {
        Task? receiver = null;
        if (only is not null)
        {
            receiver = only.Takes(signal) ? only : null;
        }
        else
        {
            foreach (Task thread in Threads)
            {
                if (thread.Takes(signal) && (receiver is null || thread == Leader))
                {
                    receiver = thread;
                    if (thread == Leader)
                    {
                        break;
                    }
                }
            }
        }

        if (receiver is null)
        {
            return;
        }

        bool isFatal = Handlers[signal].Handler == SignalAction.Default && DefaultActions.Of(signal) is DefaultAction.Terminate or DefaultAction.Core;
        isFatal &= receiver.Trace is null || signal == SignalNumber.SIGKILL;
        if (isFatal && !receiver.AwaitedSignals.Contains(signal) && !IsProtectedFromLocked(signal, force))
        {
            BeginExitLocked(signal);
            return;
        }

        receiver.Wake(Task.Wakeups.Signal);
    }

    /// <summary>Wakes other threads for signals that a thread has just blocked.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void RetargetLocked(Task blocker, SignalSet signals)
    {
        foreach (Task thread in Threads)
        {
            if (thread != blocker && !thread.HasExited && !(signals & ~thread.SignalMask).IsEmpty)
            {
                thread.Wake(Task.Wakeups.Signal);
                signals &= thread.SignalMask;
                if (signals.IsEmpty)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Sets or reads what the process does about a signal (rt_sigaction(2)).</summary>
    /// <param name="signal">The signal (1..64).</param>
    /// <param name="action">The new action, or null to read.</param>
    /// <param name="old">What it was.</param>
    /// <returns>None, or EINVAL for SIGKILL and SIGSTOP.</returns>
    public Errno SetAction(int signal, in SignalAction? action, out SignalAction old)
    {
        lock (Kernel.Tasks.Lock)
        {
            old = Handlers[signal];
            if (action is not { } wanted)
            {
                return Errno.None;
            }

            if (SignalSet.Unblockable.Contains(signal))
            {
                return Errno.EINVAL;
            }

            wanted.Mask &= ~SignalSet.Unblockable;
            wanted.Flags &= SignalActionFlags.Known;
            Handlers[signal] = wanted;
            if (Handlers.IsIgnored(signal))
            {
                DiscardLocked(SignalSet.Of(signal));
            }

            return Errno.None;
        }
    }

    /// <summary>A copy of the actions, for /proc.</summary>
    public (SignalSet Ignored, SignalSet Caught, SignalSet Pending, int QueuedCount) DescribeSignals()
    {
        lock (Kernel.Tasks.Lock)
        {
            return (Handlers.Select(handled: false), Handlers.Select(handled: true), Pending.Set, Pending.QueuedCount);
        }
    }
}
