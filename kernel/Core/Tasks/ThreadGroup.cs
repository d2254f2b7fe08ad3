// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Core.Namespaces;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>A process: the tasks that share a PID, limits, pending signals and an end.</summary>
/// <remarks>
/// Guarded by <see cref="TaskSet.Lock"/> unless a member says otherwise. Files: this one what it is; ThreadGroup.Exit.cs its end; ThreadGroup.Wait.cs its children;
/// ThreadGroup.Stop.cs job control; Signals/ThreadGroup.Signals.cs signals; Time/ThreadGroup.Timers.cs timers and processor time.
/// </remarks>
public sealed partial class ThreadGroup
{
    internal ThreadGroup(Kernel kernel, SignalHandlers handlers, ResourceLimits limits)
    {
        Kernel = kernel;
        Handlers = handlers;
        Limits = limits;
        StartNs = Time.KernelClock.MonotonicNs;
    }

    /// <summary>The kernel.</summary>
    public Kernel Kernel { get; }

    /// <summary>The thread whose id is the process's.</summary>
    public Task Leader { get; internal set; } = null!;

    /// <summary>The PID in the initial namespace.</summary>
    public int Pid => Leader.Id.Global;

    /// <summary>The limits; they have a lock of their own.</summary>
    public ResourceLimits Limits { get; }

    /// <summary>When it was made, on the monotonic clock in nanoseconds.</summary>
    public long StartNs { get; }

    /// <summary>Its threads: those that run, and a leader that ended before them.</summary>
    internal List<Task> Threads { get; } = [];

    /// <summary>How many threads have not ended.</summary>
    public int LiveThreads { get; internal set; }

    /// <summary>The thread that made it, or that took it over; null for a process put into the sandbox from outside.</summary>
    internal Task? ParentThread { get; private set; }

    /// <summary>The parent, or null.</summary>
    public ThreadGroup? Parent => ParentThread?.ThreadGroup;

    /// <summary>Its children, zombies included.</summary>
    internal List<ThreadGroup> Children { get; } = [];

    /// <summary>The tasks of others that its threads trace.</summary>
    internal List<Task> Tracees { get; } = [];

    /// <summary>The process group.</summary>
    public ProcessGroup ProcessGroup { get; private set; } = null!;

    /// <summary>The session.</summary>
    public Session Session => ProcessGroup.Session;

    /// <summary>Whether it gave the session's terminal up for itself alone (TIOCNOTTY); children inherit that.</summary>
    internal bool HasLeftTerminal { get; set; }

    /// <summary>The controlling terminal, or null.</summary>
    public IControllingTerminal? ControllingTerminal => HasLeftTerminal ? null : Session.Terminal;

    /// <summary>Whether it has called execve(2) since it was made: its parent may no longer move it to another process group.</summary>
    internal bool HasExecuted { get; set; }

    /// <summary>PR_SET_CHILD_SUBREAPER.</summary>
    public bool IsSubreaper { get; set; }

    /// <summary>/proc/PID/oom_score_adj, -1000..1000.</summary>
    public int OomScoreAdjustment { get; set; }

    /// <summary>What the parent is sent at the end; 0 for nothing.</summary>
    internal int ExitSignal { get; set; }

    /// <summary>Whether it is the first process of its PID namespace.</summary>
    public bool IsInit => Leader.Id.Local == 1;

    /// <summary>The PID that a namespace sees; 0 when it does not see it.</summary>
    public int PidIn(PidNamespace ns) => Leader.Id.NumberIn(ns);

    /// <summary>Tells waiting parents of ends, stops and continuations of children.</summary>
    internal WaitQueue ChildEvents { get; } = new();

    /// <summary>Readable once the process has ended; for pidfds.</summary>
    public WaitQueue EndEvents { get; } = new();

    /// <summary>Gives it to another thread.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void SetParentLocked(Task? parent)
    {
        ParentThread = parent;
        foreach (Task thread in Threads)
        {
            thread.WithdrawAnswersLocked();
        }
    }

    [RequiresLock("TaskSet.Lock")]
    internal void AddFirstLocked(Task task, Task? parent)
    {
        Leader = task;
        Threads.Add(task);
        LiveThreads = 1;
        SetParentLocked(parent);
        Parent?.Children.Add(this);
    }

    /// <summary>Moves it to a process group.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void JoinLocked(ProcessGroup group)
    {
        ProcessGroup? old = ProcessGroup;
        group.Members.Add(this);
        ProcessGroup = group;
        old?.RemoveLocked(this);
    }
}
