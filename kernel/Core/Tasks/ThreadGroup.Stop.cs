// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>Job control: stopping and continuing a process (do_signal_stop() and prepare_signal() of kernel/signal.c).</summary>
public sealed partial class ThreadGroup
{
    /// <summary>Whether its threads are to stop, or have stopped.</summary>
    internal bool IsStopping { get; private set; }

    /// <summary>Whether every thread has stopped.</summary>
    public bool IsStoppedCompletely { get; private set; }

    /// <summary>The signal that stopped it.</summary>
    internal int StopSignal { get; private set; }

    /// <summary>Whether a parent has not yet been told of the stop by wait(2).</summary>
    internal bool HasStopReport { get; set; }

    /// <summary>Whether a parent has not yet been told by wait(2) that it goes on.</summary>
    internal bool HasContinueReport { get; set; }

    /// <summary>Tells all threads to stop.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void BeginStopLocked(int signal)
    {
        StopSignal = signal;
        if (IsStopping)
        {
            return;
        }

        IsStopping = true;
        HasContinueReport = false;
        foreach (Task thread in Threads)
        {
            if (thread.Trace is { } trace)
            {
                trace.IsGroupStopPending = true;
            }

            thread.Wake(Task.Wakeups.Signal);
        }
    }

    /// <summary>Called when a thread has stopped or ended: the last one tells the parent.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void CompleteStopIfAllStoppedLocked()
    {
        if (!IsStopping || IsStoppedCompletely)
        {
            return;
        }

        foreach (Task thread in Threads)
        {
            if (!thread.HasExited && !thread.IsStopped && !thread.IsTraceStopped)
            {
                return;
            }
        }

        IsStoppedCompletely = true;
        HasStopReport = true;
        NotifyParentOfStateLocked(SignalInfo.CLD_STOPPED, StopSignal);
    }

    /// <summary>Lets all threads go on (SIGCONT, or the end of the process).</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void ContinueLocked()
    {
        if (!IsStopping)
        {
            return;
        }

        bool wasComplete = IsStoppedCompletely;
        IsStopping = false;
        IsStoppedCompletely = false;
        HasStopReport = false;
        foreach (Task thread in Threads)
        {
            thread.Wake();
            thread.OnGroupContinuedLocked();
        }

        if (wasComplete)
        {
            HasContinueReport = true;
            NotifyParentOfStateLocked(SignalInfo.CLD_CONTINUED, SignalNumber.SIGCONT);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void NotifyParentOfStateLocked(int code, int status)
    {
        if (Parent is not { IsZombie: false } parent)
        {
            return;
        }

        ref SignalAction action = ref parent.Handlers[SignalNumber.SIGCHLD];
        if (action.Handler != SignalAction.Ignore && (action.Flags & SignalActionFlags.NoChildStop) == 0)
        {
            _ = parent.SendLocked(ChildInfo(parent, SignalNumber.SIGCHLD, code, status));
        }

        parent.ChildEvents.Notify(PollEvents.Internal);
    }
}
