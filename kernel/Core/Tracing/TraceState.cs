// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>PTRACE_O_*: which events stop a traced task.</summary>
[Flags]
public enum TraceOptions
{
    None = 0,
    MarksSystemCalls = 1,
    Fork = 2,
    Vfork = 4,
    Clone = 8,
    Exec = 0x10,
    VforkDone = 0x20,
    Exit = 0x40,
    Seccomp = 0x80,
    KillsAtExit = 0x10_0000,

    /// <summary>All that this kernel knows.</summary>
    Known = MarksSystemCalls | Fork | Vfork | Clone | Exec | VforkDone | Exit | Seccomp | KillsAtExit,
}

/// <summary>PTRACE_EVENT_*: the third byte of the status that a tracer waits for.</summary>
public enum TraceEvent
{
    None = 0,
    Fork = 1,
    Vfork = 2,
    Clone = 3,
    Exec = 4,
    VforkDone = 5,
    Exit = 6,
    Seccomp = 7,
    Stop = 128,
}

/// <summary>How a tracer lets a task go on.</summary>
public enum TraceResume
{
    /// <summary>PTRACE_CONT.</summary>
    Continue,

    /// <summary>PTRACE_SYSCALL: to the next beginning or end of a system call.</summary>
    SystemCall,

    /// <summary>PTRACE_SINGLESTEP.</summary>
    Step,
}

/// <summary>Where in a system call a traced task stopped, for PTRACE_GET_SYSCALL_INFO.</summary>
public enum TracePoint
{
    None = 0,
    Entry = 1,
    Exit = 2,
    Seccomp = 3,
}

/// <summary>A tracer's hold on one task (ptrace(2)). Guarded by <see cref="TaskSet.Lock"/>.</summary>
internal sealed class TraceState(Task tracer, bool isSeized, TraceOptions options)
{
    /// <summary>The thread that traces.</summary>
    internal Task Tracer { get; } = tracer;

    /// <summary>Whether it was PTRACE_SEIZE rather than ATTACH or TRACEME.</summary>
    internal bool IsSeized { get; } = isSeized;

    internal TraceOptions Options { get; set; } = options;

    /// <summary>PTRACE_GETEVENTMSG.</summary>
    internal ulong EventMessage { get; set; }

    /// <summary>How it was last let go on.</summary>
    internal TraceResume Resume { get; set; }

    /// <summary>Whether it stands still for the tracer.</summary>
    internal bool IsStopped { get; set; }

    /// <summary>PTRACE_LISTEN: stopped, but the end of the job's stop is to be reported.</summary>
    internal bool IsListening { get; set; }

    /// <summary>The upper bytes of the wait(2) status: signal and event.</summary>
    internal int StopCode { get; set; }

    /// <summary>Whether the tracer has not yet been told of the stop, or the end.</summary>
    internal bool HasReport { get; set; }

    /// <summary>The signal that is about to be delivered; null in any other stop.</summary>
    internal SignalInfo? Info { get; set; }

    /// <summary>Where in a system call it stopped.</summary>
    internal TracePoint Point { get; set; }

    /// <summary>Whether it is to stop soon: PTRACE_INTERRUPT, or the start of a task that was traced from birth.</summary>
    internal bool IsInterruptPending { get; set; }

    /// <summary>Whether it is to stop with its process (SIGSTOP and the like).</summary>
    internal bool IsGroupStopPending { get; set; }

    /// <summary>What the tracer wants the task itself to do in its stop.</summary>
    internal TraceRequest? Request { get; set; }

    /// <summary>The status of a thread that has ended and waits to be reported; null while it lives.</summary>
    internal int? EndStatus { get; set; }
}

/// <summary>Something that only the stopped task can do, since its hardware thread belongs to its worker.</summary>
public abstract class TraceRequest
{
    private volatile bool _isDone;

    /// <summary>What came of it.</summary>
    public Abi.Errno Error { get; protected set; } = Abi.Errno.ESRCH;

    internal Task? Requester { get; set; }

    internal bool IsDone => _isDone;

    /// <summary>Does it, as the stopped task.</summary>
    protected internal abstract void Run(Task tracee);

    internal void Complete()
    {
        _isDone = true;
        Requester?.Wake();
    }
}
