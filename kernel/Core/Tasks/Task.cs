// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;
using CVisor.Core.Futexes;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>A guest thread: what Linux calls a task. It is data, run by whichever worker has it; no host thread is its own.</summary>
/// <remarks>
/// Only the worker that runs a task changes its private state (registers, signal mask, wait state); what others may see or change says which lock guards it. Lock order of
/// this folder: <see cref="TaskSet.Lock"/>, then MemoryManager, descriptor table and file locks, then wait queues. Files: Task.cs (what it owns), Task.Blocking.cs (waiting),
/// Task.Run.cs (a trip through the kernel), Task.Exit.cs (its end), Signals/Task.Signals.cs.
/// </remarks>
public sealed partial class Task
{
    [ThreadStatic]
    private static Task? t_current;

    /// <summary>Makes a task. It runs once <see cref="Scheduler.Enqueue"/> has it.</summary>
    internal Task(Kernel kernel, ThreadGroup threadGroup, ProcessId id, GuestContext context, MemoryManager memory, FsContext fs, FdTable descriptors, UserCredentials credentials, NamespaceSet namespaces, string name)
    {
        Kernel = kernel;
        ThreadGroup = threadGroup;
        Id = id;
        Context = context;
        Memory = memory;
        Fs = fs;
        Descriptors = descriptors;
        Credentials = credentials;
        Namespaces = namespaces;
        Name = name;
        _waiter = new TaskWaiter(this);
        _timer = new BlockTimer(this);
        context.Owner = this;
    }

    /// <summary>The task that the calling host thread runs; null on a thread that runs none.</summary>
    public static Task? Current
    {
        get => t_current;
        internal set => t_current = value;
    }

    /// <summary>The kernel.</summary>
    public Kernel Kernel { get; }

    /// <summary>The process.</summary>
    public ThreadGroup ThreadGroup { get; }

    /// <summary>The thread's id. Changes only when a thread other than the leader calls execve(2) and becomes it.</summary>
    public ProcessId Id
    {
        get;
        internal set
        {
            field = value;
            _lacksAnswers = true;
        }
    }

    /// <summary>The thread id in the initial PID namespace.</summary>
    public int Tid => Id.Global;

    /// <summary>The PID namespace that the task is in, and whose numbers it sees.</summary>
    public PidNamespace PidNamespace => Id.Namespace;

    /// <summary>The other namespaces. Immutable value, replaced by the task itself.</summary>
    public NamespaceSet Namespaces { get; internal set; }

    /// <summary>comm: at most 15 bytes.</summary>
    public string Name { get; set; }

    /// <summary>The hardware thread; null once the task has ended.</summary>
    public GuestContext? Context
    {
        get;
        internal set
        {
            field = value;
            _lacksAnswers = true;
        }
    }

    /// <summary>The address space. Changed by the task itself (execve), read by others under <see cref="TaskSet.Lock"/>.</summary>
    public MemoryManager Memory { get; internal set; }

    /// <summary>Root, working directory, umask.</summary>
    public FsContext Fs { get; internal set; }

    /// <summary>The descriptor table.</summary>
    public FdTable Descriptors { get; internal set; }

    /// <summary>Who the task is. Immutable value, replaced by the task itself.</summary>
    public UserCredentials Credentials
    {
        get;
        set
        {
            field = value;
            _lacksAnswers = true;
        }
    }

    /// <summary>Where a zero is stored and a futex woken when the thread ends (set_tid_address(2)).</summary>
    public UserPtr ClearChildTid { get; set; }

    /// <summary>The list head of robust futexes (set_robust_list(2)).</summary>
    public UserPtr RobustList { get; set; }

    /// <summary>RLIMIT_NOFILE, as descriptor tables take it.</summary>
    public int FileLimit => ThreadGroup.Limits.OpenFiles;

    /// <summary>How an interrupted call that counts time goes on in restart_syscall(2), or null.</summary>
    public RestartBlock? RestartBlock { get; set; }

    /// <summary>What the task has set about itself (priority, personality and the like).</summary>
    public TaskAttributes Attributes { get; internal init; } = new();

    /// <summary>The task's place in a futex's queue; it stands in one at a time.</summary>
    internal FutexWaiter FutexWaiter => field ??= new FutexWaiter(this);

    /// <summary>Whether the thread has ended and been waited for, so that its number may be another's.</summary>
    public bool IsForgotten => Id.Task != this;

    /// <summary>For permission checks and file operations of this task.</summary>
    public OperationContext Operation => new(Credentials, this);

    /// <inheritdoc/>
    public override string ToString() => $"[{Tid}] {Name}";
}
