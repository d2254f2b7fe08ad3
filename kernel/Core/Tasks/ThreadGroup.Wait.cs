// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Signals;
using CVisor.Core.Time;

namespace CVisor.Core.Tasks;

/// <summary>Which children a wait is for, and what about them (wait(2)).</summary>
/// <param name="Options">WNOHANG and the like.</param>
/// <param name="Process">This child only, or null.</param>
/// <param name="Group">Children of this process group only, or null.</param>
/// <param name="IsNobody">A child that does not exist was named: ECHILD.</param>
public readonly record struct WaitRequest(WaitOptions Options, ProcessId? Process, ProcessId? Group, bool IsNobody = false);

/// <summary>Options of wait4(2) and waitid(2).</summary>
[Flags]
public enum WaitOptions
{
    None = 0,
    NoHang = 1,
    Stopped = 2,
    Exited = 4,
    Continued = 8,
    NoWait = 0x0100_0000,

    /// <summary>__WNOTHREAD: children of this thread only.</summary>
    NoThread = 0x2000_0000,

    /// <summary>__WALL: whatever their exit signal.</summary>
    All = 0x4000_0000,

    /// <summary>__WCLONE: only those whose exit signal is not SIGCHLD.</summary>
    Clone = unchecked((int)0x8000_0000),
}

/// <summary>What a wait found.</summary>
/// <param name="Pid">The child as the caller's namespace sees it; 0 when WNOHANG found none ready.</param>
/// <param name="Uid">The child's real user as the caller's namespace sees it.</param>
/// <param name="Code">CLD_*.</param>
/// <param name="Status">The wait4(2) status.</param>
/// <param name="Usage">What the child and its children used.</param>
public readonly record struct WaitReport(int Pid, uint Uid, int Code, int Status, ResourceUsage Usage)
{
    /// <summary>si_status.</summary>
    public int SignalStatus => Code switch
    {
        SignalInfo.CLD_EXITED => (Status >> 8) & 0xff,
        SignalInfo.CLD_STOPPED => (Status >> 8) & 0xff,
        SignalInfo.CLD_TRAPPED => Status >> 8,
        SignalInfo.CLD_CONTINUED => SignalNumber.SIGCONT,
        _ => Status & 0x7f,
    };
}

/// <summary>Waiting for children (do_wait() of kernel/exit.c).</summary>
public sealed partial class ThreadGroup
{
    private const int ContinuedStatus = 0xffff;

    /// <summary>Looks for a child that has something to report.</summary>
    /// <returns>None with a report; EAGAIN when there are such children but none is ready; ECHILD when there are none.</returns>
    internal Errno TryWait(Task caller, in WaitRequest request, out WaitReport report)
    {
        report = default;
        lock (Kernel.Tasks.Lock)
        {
            bool any = false;
            foreach (ThreadGroup child in Children)
            {
                if (!IsEligibleLocked(caller, request, child))
                {
                    continue;
                }

                any = true;
                if (TryReportLocked(caller, request.Options, child, out report))
                {
                    return Errno.None;
                }
            }

            foreach (Task tracee in Tracees)
            {
                if (!IsEligibleTraceeLocked(caller, request, tracee))
                {
                    continue;
                }

                any = true;
                if (TryReportTraceeLocked(caller, request.Options, tracee, out report))
                {
                    return Errno.None;
                }
            }

            return any ? Errno.EAGAIN : Errno.ECHILD;
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private static bool IsEligibleLocked(Task caller, in WaitRequest request, ThreadGroup child)
    {
        if (request.IsNobody || (request.Process is { } process && child.Leader.Id != process) || (request.Group is { } group && child.ProcessGroup.Id != group))
        {
            return false;
        }

        if ((request.Options & WaitOptions.NoThread) != 0 && child.ParentThread != caller)
        {
            return false;
        }

        return (request.Options & WaitOptions.All) != 0 || child.Leader.Tracer?.ThreadGroup == caller.ThreadGroup || (child.ExitSignal != SignalNumber.SIGCHLD) == ((request.Options & WaitOptions.Clone) != 0);
    }

    [RequiresLock("TaskSet.Lock")]
    private static bool TryReportLocked(Task caller, WaitOptions options, ThreadGroup child, out WaitReport report)
    {
        bool keep = (options & WaitOptions.NoWait) != 0;
        if (child.Leader.Trace is { } trace && (!child.IsZombie || trace.Tracer.ThreadGroup != caller.ThreadGroup))
        {
            report = default;
            return false; // What it does is the tracer's to see.
        }

        if (child.IsZombie && child.TracedZombies > 0)
        {
            report = default;
            return false;
        }

        if (child.IsZombie)
        {
            int status = child.ExitStatus;
            int code = (status & 0x7f) == 0 ? SignalInfo.CLD_EXITED : (status & 0x80) != 0 ? SignalInfo.CLD_DUMPED : SignalInfo.CLD_KILLED;
            report = Report(caller, child, code, status);
            if ((options & WaitOptions.Exited) == 0)
            {
                return false;
            }

            if (!keep)
            {
                child.ReapLocked();
            }

            return true;
        }

        if (child.HasStopReport && (options & WaitOptions.Stopped) != 0)
        {
            child.HasStopReport = keep;
            report = Report(caller, child, SignalInfo.CLD_STOPPED, (child.StopSignal << 8) | 0x7f);
            return true;
        }

        if (child.HasContinueReport && (options & WaitOptions.Continued) != 0)
        {
            child.HasContinueReport = keep;
            report = Report(caller, child, SignalInfo.CLD_CONTINUED, ContinuedStatus);
            return true;
        }

        report = default;
        return false;
    }

    [RequiresLock("TaskSet.Lock")]
    private static bool IsEligibleTraceeLocked(Task caller, in WaitRequest request, Task tracee) =>
        !request.IsNobody &&
        (request.Process is not { } process || tracee.Id == process) &&
        (request.Group is not { } group || tracee.ThreadGroup.ProcessGroup.Id == group) &&
        ((request.Options & WaitOptions.NoThread) == 0 || tracee.Tracer == caller);

    [RequiresLock("TaskSet.Lock")]
    private static bool TryReportTraceeLocked(Task caller, WaitOptions options, Task tracee, out WaitReport report)
    {
        report = default;
        if (tracee.Trace is not { HasReport: true } trace)
        {
            return false;
        }

        int pid = tracee.Id.NumberIn(caller.PidNamespace);
        uint uid = caller.Credentials.UserNamespace.ToGuestUid(tracee.Credentials.RealUid);
        bool keep = (options & WaitOptions.NoWait) != 0;
        if (trace.EndStatus is not { } end)
        {
            trace.HasReport = keep;
            report = new WaitReport(pid, uid, SignalInfo.CLD_TRAPPED, (trace.StopCode << 8) | 0x7f, tracee.Usage);
            return true;
        }

        if ((options & WaitOptions.Exited) == 0)
        {
            return false;
        }

        report = new WaitReport(pid, uid, (end & 0x7f) == 0 ? SignalInfo.CLD_EXITED : SignalInfo.CLD_KILLED, end, tracee.Usage);
        if (!keep)
        {
            tracee.EndTraceLocked();
        }

        return true;
    }

    [RequiresLock("TaskSet.Lock")]
    private static WaitReport Report(Task caller, ThreadGroup child, int code, int status) => new(
        child.PidIn(caller.Id.Namespace),
        caller.Credentials.UserNamespace.ToGuestUid(child.Leader.Credentials.RealUid),
        code,
        status,
        child.UsageWithChildren);
}
