// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Time;

namespace CVisor.Core.Tasks;

/// <summary>How a task waits without a host thread, and is woken.</summary>
/// <remarks>
/// <c>_runState</c> says who may run the task; <c>_wakeups</c> collects what happened to it. A waker sets its bit first and then tries to move the task from
/// Parked to Queued; the worker that parks a task sets Parked first and then looks at the bits: whichever comes second sees the other, so no
/// wake-up is lost and no task is queued twice.
/// </remarks>
public sealed partial class Task
{
    private readonly TaskWaiter _waiter;
    private readonly BlockTimer _timer;
    private Action? _continuation;
    private int _runState = (int)RunState.Queued;
    private int _wakeups;
    private int _waitMask;
    private BlockOutcome _outcome;

    /// <summary>Who has a task.</summary>
    internal enum RunState
    {
        /// <summary>A worker runs it in the kernel.</summary>
        InKernel,

        /// <summary>It runs guest code.</summary>
        InGuest,

        /// <summary>It waits for a wake-up.</summary>
        Parked,

        /// <summary>It stands in a worker's run queue.</summary>
        Queued,

        /// <summary>It has ended.</summary>
        Exited,
    }

    [Flags]
    internal enum Wakeups
    {
        None = 0,
        Event = 1,
        Timeout = 2,
        Signal = 4,
        Kill = 8,
    }

    /// <summary>Whether it waits at the moment (state S).</summary>
    public bool IsParked => State == RunState.Parked;

    /// <summary>The task's own waiter, for a call that waits on one queue. Take it out of the queue again (try/finally).</summary>
    public Waiter Waiter => _waiter;

    /// <summary>Forgets events that were reported before: call before standing in a queue.</summary>
    public void PrepareToWait() => _ = Interlocked.And(ref _wakeups, ~(int)(Wakeups.Event | Wakeups.Timeout));

    /// <summary>A further waiter that wakes this task, for calls that wait on several queues (poll, select). Allocates.</summary>
    public Waiter CreateWaiter(bool isExclusive = false) => new TaskWaiter(this) { IsExclusive = isExclusive };

    /// <summary>Waits until a waiter of this task is told of an event, or the deadline passes, or a signal comes.</summary>
    /// <param name="deadlineNs">A time on the monotonic clock (<see cref="KernelClock.MonotonicNs"/>), or <see cref="long.MaxValue"/> for none.</param>
    /// <param name="kind">Whether signals end the wait.</param>
    /// <returns>An awaitable: <c>await</c> it at once. It never blocks the host thread.</returns>
    public BlockAwaitable Block(long deadlineNs = long.MaxValue, BlockKind kind = BlockKind.Interruptible)
    {
        Wakeups mask = Wakeups.Event | Wakeups.Timeout | kind switch
        {
            BlockKind.Interruptible => Wakeups.Kill | Wakeups.Signal,
            BlockKind.Killable => Wakeups.Kill,
            _ => Wakeups.None,
        };
        _waitMask = (int)mask;
        if (TryTakeOutcome(out BlockOutcome outcome))
        {
            return new BlockAwaitable(this, true, outcome);
        }

        if (deadlineNs != long.MaxValue)
        {
            if (deadlineNs <= KernelClock.MonotonicNs)
            {
                return new BlockAwaitable(this, true, BlockOutcome.TimedOut);
            }

            Kernel.Timers.Arm(_timer, deadlineNs);
        }

        return new BlockAwaitable(this, false, default);
    }

    /// <summary>Tells the task that something it waits for happened. Thread-safe; takes no kernel lock.</summary>
    public void Wake() => Wake(Wakeups.Event);

    internal void Wake(Wakeups why)
    {
        int before = Interlocked.Or(ref _wakeups, (int)why);
        if ((Volatile.Read(ref _waitMask) & (int)why) == 0)
        {
            // Not something that ends the present wait. A task about to wait looks at the bits itself.
            if ((why & (Wakeups.Signal | Wakeups.Kill)) == 0)
            {
                return;
            }
        }

        _ = before;
        switch ((RunState)Volatile.Read(ref _runState))
        {
            case RunState.Parked:
                if (TryMove(RunState.Parked, RunState.Queued))
                {
                    Kernel.Scheduler.Enqueue(this);
                }

                break;
            case RunState.InGuest when (why & (Wakeups.Signal | Wakeups.Kill)) != 0:
                Context?.Interrupt();
                break;
        }
    }

    internal void SetContinuation(Action continuation) => _continuation = continuation;

    internal BlockOutcome TakeBlockOutcome()
    {
        Kernel.Timers.Cancel(_timer);
        return _outcome;
    }

    /// <summary>Parks the task. True when it is parked (the worker goes on to another); false when it was woken meanwhile and its worker must run it on.</summary>
    internal bool Park()
    {
        _ = Interlocked.Exchange(ref _runState, (int)RunState.Parked);
        return (Volatile.Read(ref _wakeups) & _waitMask) == 0 || !TryMove(RunState.Parked, RunState.InKernel);
    }

    /// <summary>Runs the rest of a waiting call once its wait is over; false when it is not (a wake-up that concerns another wait).</summary>
    internal bool ContinueWait()
    {
        if (!TryTakeOutcome(out _outcome))
        {
            return false;
        }

        Action rest = _continuation!;
        _continuation = null;
        rest();
        return true;
    }

    internal bool IsWaiting => _continuation is not null;

    internal bool TryMove(RunState from, RunState to) =>
        Interlocked.CompareExchange(ref _runState, (int)to, (int)from) == (int)from;

    internal void SetRunState(RunState state) => _ = Interlocked.Exchange(ref _runState, (int)state);

    internal RunState State => (RunState)Volatile.Read(ref _runState);

    /// <summary>Whether a signal or death asks for the task's attention; cleared by <see cref="ClearInterrupt"/>.</summary>
    internal bool IsInterruptRequested => (Volatile.Read(ref _wakeups) & (int)(Wakeups.Signal | Wakeups.Kill)) != 0;

    /// <summary>Called when the pending signals have been looked at. Death stays.</summary>
    internal void ClearInterrupt() => _ = Interlocked.And(ref _wakeups, ~(int)Wakeups.Signal);

    private bool TryTakeOutcome(out BlockOutcome outcome)
    {
        Wakeups seen = (Wakeups)(Volatile.Read(ref _wakeups) & _waitMask);
        if (seen == Wakeups.None)
        {
            outcome = default;
            return false;
        }

        if ((seen & Wakeups.Event) != 0)
        {
            outcome = BlockOutcome.Woken;
            _ = Interlocked.And(ref _wakeups, ~(int)Wakeups.Event);
        }
        else if ((seen & (Wakeups.Signal | Wakeups.Kill)) != 0)
        {
            // The bit stays: it is the signal code's, which looks at it on the way back to the guest.
            outcome = BlockOutcome.Interrupted;
        }
        else
        {
            outcome = BlockOutcome.TimedOut;
            _ = Interlocked.And(ref _wakeups, ~(int)Wakeups.Timeout);
        }

        return true;
    }

    private sealed class TaskWaiter(Task task) : Waiter
    {
        protected internal override bool OnEvents(PollEvents events)
        {
            task.Wake();
            return true;
        }
    }

    private sealed class BlockTimer(Task task) : KernelTimer
    {
        protected internal override void OnFire() => task.Wake(Wakeups.Timeout);
    }
}
