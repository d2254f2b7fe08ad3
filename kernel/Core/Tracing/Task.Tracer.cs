// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>What a tracer does with the tasks it traces (kernel/ptrace.c).</summary>
public sealed partial class Task
{
    /// <summary>Whether execve(2) may raise this task's privileges in spite of its tracer: only one that could trace the result, too.</summary>
    public bool MayGainWhileTraced => Tracer is not { } tracer || tracer.Credentials.Has(Capability.SysPtrace, Credentials.UserNamespace);

    /// <summary>PTRACE_TRACEME: the parent becomes the tracer.</summary>
    public Errno AskToBeTraced()
    {
        lock (Kernel.Tasks.Lock)
        {
            if (_trace is not null || ThreadGroup.ParentThread is not { HasExited: false } parent)
            {
                return Errno.EPERM;
            }

            AttachLocked(parent, isSeized: false, TraceOptions.None);
            return Errno.None;
        }
    }

    /// <summary>PTRACE_ATTACH and PTRACE_SEIZE.</summary>
    /// <param name="target">The thread to trace.</param>
    /// <param name="isSeized">PTRACE_SEIZE: without stopping it.</param>
    /// <param name="options">With PTRACE_SEIZE.</param>
    public Errno Attach(Task target, bool isSeized, TraceOptions options)
    {
        if (target.ThreadGroup == ThreadGroup || !TaskAccess.MayAttach(this, target))
        {
            return Errno.EPERM;
        }

        lock (Kernel.Tasks.Lock)
        {
            if (target._trace is not null || target.HasExited)
            {
                return Errno.EPERM;
            }

            target.AttachLocked(this, isSeized, options);
            if (!isSeized)
            {
                _ = target.ThreadGroup.SendLocked(SignalInfo.FromKernel(SignalNumber.SIGSTOP), target, force: true);
            }

            if (target.IsStopped)
            {
                // It stands still with its process already; from now on it does so for the tracer.
                target._trace!.IsGroupStopPending = true;
                target.Wake();
            }

            return Errno.None;
        }
    }

    /// <summary>Lets a stopped tracee go on.</summary>
    /// <param name="target">The tracee.</param>
    /// <param name="signal">The signal that it gets in place of the one shown; 0 for none.</param>
    /// <param name="how">How far.</param>
    /// <returns>None; ESRCH when it is not this task's, or not stopped.</returns>
    public Errno ResumeTracee(Task target, int signal, TraceResume how)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            trace.Resume = how;
            target.GoOnLocked(trace, signal);
            return Errno.None;
        }
    }

    /// <summary>PTRACE_DETACH.</summary>
    public Errno Detach(Task target, int signal)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            target.GoOnLocked(trace, signal);
            target.EndTraceLocked();
            return Errno.None;
        }
    }

    /// <summary>PTRACE_INTERRUPT, for a tracee that was seized.</summary>
    public Errno InterruptTracee(Task target)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (target._trace is not { } trace || trace.Tracer != this || target.HasExited)
            {
                return Errno.ESRCH;
            }

            if (!trace.IsSeized)
            {
                return Errno.EIO;
            }

            if (trace is { IsStopped: true, IsListening: true })
            {
                target.TrapAgainLocked(trace);
            }
            else
            {
                trace.IsInterruptPending = true;
                target.Wake(Wakeups.Signal);
            }

            return Errno.None;
        }
    }

    /// <summary>PTRACE_LISTEN, for a seized tracee that stopped with its process: it stays, and tells when the process goes on.</summary>
    public Errno ListenToTracee(Task target)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            if (!trace.IsSeized || trace.StopCode >> 8 != (int)TraceEvent.Stop)
            {
                return Errno.EIO;
            }

            trace.IsListening = true;
            if (!target.ThreadGroup.IsStopping)
            {
                target.TrapAgainLocked(trace); // It went on meanwhile.
            }

            return Errno.None;
        }
    }

    /// <summary>Sets the events that stop a tracee.</summary>
    public Errno SetTraceOptions(Task target, TraceOptions options)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            trace.Options = options;
            return Errno.None;
        }
    }

    /// <summary>Whether a task is this one's tracee and stands still, so that its registers can be read and set.</summary>
    /// <param name="target">The tracee.</param>
    /// <param name="message">PTRACE_GETEVENTMSG.</param>
    /// <param name="info">The signal that it is shown with; null when it stopped for something else.</param>
    /// <param name="point">Where in a system call.</param>
    public bool TryInspect(Task target, out ulong message, out SignalInfo? info, out TracePoint point)
    {
        lock (Kernel.Tasks.Lock)
        {
            bool owns = OwnsStoppedLocked(target, out TraceState trace);
            (message, info, point) = owns ? (trace.EventMessage, trace.Info, trace.Point) : default;
            return owns;
        }
    }

    /// <summary>PTRACE_SETSIGINFO: EINVAL when it did not stop for a signal.</summary>
    public Errno SetTraceInfo(Task target, in SignalInfo info)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            if (trace.Info is null)
            {
                return Errno.EINVAL;
            }

            trace.Info = info;
            return Errno.None;
        }
    }

    /// <summary>PTRACE_SETSIGMASK.</summary>
    public Errno SetTraceeMask(Task target, SignalSet mask)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out _))
            {
                return Errno.ESRCH;
            }

            target._hasSavedMask = false;
            target.SetSignalMaskLocked(mask & ~SignalSet.Unblockable);
            return Errno.None;
        }
    }

    /// <summary>Has a stopped tracee do something, and waits until it has.</summary>
    public async Blocking<Errno> AskTracee(Task target, TraceRequest request)
    {
        const long LookAgainNs = 10_000_000;
        request.Requester = this;
        lock (Kernel.Tasks.Lock)
        {
            if (!OwnsStoppedLocked(target, out TraceState trace))
            {
                return Errno.ESRCH;
            }

            trace.Request = request;
            target.Wake();
        }

        while (true)
        {
            PrepareToWait();
            if (request.IsDone)
            {
                return request.Error;
            }

            // A tracee that is killed in its stop does not answer.
            if (target.Trace is not { IsStopped: true } || await Block(Time.KernelClock.MonotonicNs + LookAgainNs, BlockKind.Killable) == BlockOutcome.Interrupted)
            {
                return Errno.ESRCH;
            }
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private bool OwnsStoppedLocked(Task target, out TraceState trace)
    {
        trace = target._trace!;
        return target._trace is { IsStopped: true, IsListening: false } found && found.Tracer == this;
    }

    [RequiresLock("TaskSet.Lock")]
    private void AttachLocked(Task tracer, bool isSeized, TraceOptions options)
    {
        Volatile.Write(ref _trace, new TraceState(tracer, isSeized, options));
        tracer.ThreadGroup.Tracees.Add(this);
        WithdrawAnswersLocked();
    }

    /// <summary>A child of a traced task is traced from birth when the tracer asked for that.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void InheritTraceLocked(Task parent, in CloneRequest request)
    {
        if (parent._trace is not { } trace || (request.Flags & CloneFlags.Untraced) != 0 ||
            ((request.Flags & CloneFlags.Ptrace) == 0 && !HasOption(trace.Options, ForkEvent(request))))
        {
            return;
        }

        AttachLocked(trace.Tracer, trace.IsSeized, trace.Options);
        if (trace.IsSeized)
        {
            _trace!.IsInterruptPending = true;
        }
        else
        {
            _ = Pending.Add(SignalInfo.FromKernel(SignalNumber.SIGSTOP), ulong.MaxValue);
        }
    }

    private static TraceEvent ForkEvent(in CloneRequest request) =>
        (request.Flags & CloneFlags.Untraced) != 0 ? TraceEvent.None
        : (request.Flags & CloneFlags.Vfork) != 0 ? TraceEvent.Vfork
        : request.ExitSignal != SignalNumber.SIGCHLD ? TraceEvent.Clone
        : TraceEvent.Fork;

    [RequiresLock("TaskSet.Lock")]
    private void GoOnLocked(TraceState trace, int signal)
    {
        _injectedSignal = signal;
        _shownInfo = trace.Info;
        trace.IsStopped = false;
        trace.IsListening = false;
        trace.HasReport = false;
        Wake();
    }

    /// <summary>A listening tracee's process goes on, or it is interrupted: it stops anew where it stands.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void TrapAgainLocked(TraceState trace)
    {
        trace.IsListening = false;
        trace.StopCode = SignalNumber.SIGTRAP | ((int)TraceEvent.Stop << 8);
        ReportToTracerLocked(trace);
    }

    /// <summary>The process goes on (SIGCONT).</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void OnGroupContinuedLocked()
    {
        if (_trace is { } trace)
        {
            trace.IsGroupStopPending = false;
            if (trace is { IsStopped: true, IsListening: true })
            {
                TrapAgainLocked(trace);
            }
        }
    }

    /// <summary>Ends the tracer's hold: a thread that lives goes on by itself, one that has ended goes where it would have gone.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void EndTraceLocked()
    {
        if (_trace is not { } trace)
        {
            return;
        }

        DropTraceLocked();
        if (trace.EndStatus is null)
        {
            Wake();
            Wake(Wakeups.Signal);
        }
        else if (this == ThreadGroup.Leader)
        {
            ThreadGroup.NotifyParentOfEndLocked();
        }
        else
        {
            Kernel.Tasks.Unregister(this);
            ThreadGroup.TracedZombies--;
            if (ThreadGroup is { IsZombie: true, IsDead: false, TracedZombies: 0 })
            {
                ThreadGroup.NotifyParentOfEndLocked();
            }
        }
    }

    /// <summary>Forgets the tracer.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void DropTraceLocked()
    {
        if (_trace is { } trace)
        {
            _ = trace.Tracer.ThreadGroup.Tracees.Remove(this);
            Volatile.Write(ref _trace, null);
            WithdrawAnswersLocked();
        }
    }

    /// <summary>A traced thread that has ended stays until its tracer has waited for it; false when nobody traces it.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal bool TryBecomeTracedZombieLocked(int status)
    {
        if (_trace is not { } trace)
        {
            return false;
        }

        ThreadGroup.TracedZombies += this == ThreadGroup.Leader ? 0 : 1;
        trace.EndStatus = status;
        trace.IsStopped = false;
        ReportToTracerLocked(trace);
        return true;
    }

    /// <summary>A tracer ends: its tracees go on, or are killed where it asked for that (exit_ptrace()).</summary>
    [RequiresLock("TaskSet.Lock")]
    private void ReleaseTraceesLocked()
    {
        foreach (Task tracee in ThreadGroup.Tracees.ToArray())
        {
            if (tracee._trace is { } trace && trace.Tracer == this)
            {
                if ((trace.Options & TraceOptions.KillsAtExit) != 0 && !tracee.HasExited)
                {
                    _ = tracee.ThreadGroup.SendLocked(SignalInfo.FromKernel(SignalNumber.SIGKILL), force: true);
                }

                tracee.EndTraceLocked();
            }
        }
    }
}
