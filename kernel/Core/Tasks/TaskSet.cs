// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>All tasks and processes of a kernel, by number; the process tree, groups and sessions.</summary>
public sealed partial class TaskSet
{
    /// <summary>How many threads a sandbox may have (threads-max): the guard against fork bombs.</summary>
    internal const int MaximumThreads = 32768;

    private int _threadCount;

    /// <summary>Guards the tree: parents and children, threads of a group, process groups, sessions, pending signals, stop and exit states.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The initial PID namespace.</summary>
    public PidNamespace RootPids { get; } = new(null, UserNamespace.Initial);

    /// <summary>Threads that have not been waited for.</summary>
    public int ThreadCount => Volatile.Read(ref _threadCount);

    /// <summary>Threads made since the start, for /proc/stat.</summary>
    public long ForkCount { get; private set; }

    /// <summary>The thread of this number, or null.</summary>
    public Task? FindTask(PidNamespace ns, int tid)
    {
        lock (Lock)
        {
            return ns.FindLocked(tid)?.Task;
        }
    }

    /// <summary>The process whose leader has this number, or null.</summary>
    public ThreadGroup? FindProcess(PidNamespace ns, int pid)
    {
        lock (Lock)
        {
            return FindProcessLocked(ns, pid);
        }
    }

    /// <summary>Replaces one place by another wherever it is a task's root or working directory (pivot_root(2)).</summary>
    public void ReplacePlaces(Vfs.VfsPath old, Vfs.VfsPath replacement)
    {
        HashSet<Vfs.FsContext> contexts = [];
        lock (Lock)
        {
            foreach (ProcessId id in RootPids.IdsLocked)
            {
                if (id.Task is { HasExited: false } task)
                {
                    _ = contexts.Add(task.Fs);
                }
            }
        }

        foreach (Vfs.FsContext context in contexts)
        {
            context.ReplacePlace(old, replacement);
        }
    }

    /// <summary>The processes that a namespace sees, in order of their numbers there; zombies included.</summary>
    public List<ThreadGroup> Processes(PidNamespace ns)
    {
        List<ThreadGroup> processes = [];
        lock (Lock)
        {
            foreach (ProcessId id in ns.IdsLocked)
            {
                if (id.Task is { } task && task == task.ThreadGroup.Leader)
                {
                    processes.Add(task.ThreadGroup);
                }
            }
        }

        return processes;
    }

    /// <summary>The threads of a process, in order of their making.</summary>
    public List<Task> Threads(ThreadGroup process)
    {
        lock (Lock)
        {
            return [.. process.Threads];
        }
    }

    /// <summary>The children that a thread made, by the numbers of a namespace that sees them.</summary>
    public List<int> ChildrenOf(Task task, PidNamespace ns)
    {
        List<int> children = [];
        lock (Lock)
        {
            foreach (ThreadGroup child in task.ThreadGroup.Children)
            {
                if (child.ParentThread == task && child.PidIn(ns) is > 0 and int pid)
                {
                    children.Add(pid);
                }
            }
        }

        return children;
    }

    /// <summary>The threads that a namespace sees and that fit.</summary>
    public List<Task> Threads(PidNamespace ns, Predicate<Task> match)
    {
        List<Task> threads = [];
        lock (Lock)
        {
            foreach (ProcessId id in ns.IdsLocked)
            {
                if (id.Task is { HasExited: false } task && match(task))
                {
                    threads.Add(task);
                }
            }
        }

        return threads;
    }

    /// <summary>How many threads run or want to (state R), for /proc/loadavg.</summary>
    public int CountRunning()
    {
        int running = 0;
        lock (Lock)
        {
            foreach (ProcessId id in RootPids.IdsLocked)
            {
                running += id.Task is { HasExited: false, IsParked: false } ? 1 : 0;
            }
        }

        return running;
    }

    /// <summary>Whether a user has at least so many threads, zombies included.</summary>
    internal bool HasThreads(uint realUid, ulong count)
    {
        lock (Lock)
        {
            if (count > (ulong)_threadCount)
            {
                return false;
            }

            ulong found = 0;
            foreach (ProcessId id in RootPids.IdsLocked)
            {
                found += id.Task?.Credentials.RealUid == realUid ? 1UL : 0;
            }

            return found >= count;
        }
    }

    [RequiresLock("TaskSet.Lock")]
    internal static ThreadGroup? FindProcessLocked(PidNamespace ns, int pid) =>
        ns.FindLocked(pid)?.Task is { } task && task == task.ThreadGroup.Leader ? task.ThreadGroup : null;

    /// <summary>Makes a process that no other one forked: the first of the sandbox, or one that is put into it (exec). It leads a session of its own.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="start">What it begins with; references are taken over.</param>
    /// <returns>Its first thread, which runs once <see cref="Task.Launch"/> is called; null when there is no number left.</returns>
    public Task? CreateProcess(Kernel kernel, ProcessStart start)
    {
        lock (Lock)
        {
            _ = start.Pids.AllocateLocked(null, out ProcessId? id);
            if (id is null)
            {
                return null;
            }

            ThreadGroup group = new(kernel, new SignalHandlers(), start.Limits);
            Task task = new(kernel, group, id, start.Context, start.Memory, start.Fs, start.Descriptors, start.Credentials, start.Namespaces, start.Name)
            {
                HomeWorker = start.HomeWorker,
            };
            group.Ended = start.Ended;
            group.AddFirstLocked(task, parent: null);
            Session session = new(id) { Leader = group };
            group.JoinLocked(new ProcessGroup(id, session));
            Register(task);
            return task;
        }
    }

    /// <summary>Counts a thread in and makes it known by its number.</summary>
    [RequiresLock(nameof(Lock))]
    internal void Register(Task task)
    {
        task.Id.Task = task;
        _threadCount++;
        ForkCount++;
        task.Kernel.Load.Watch();
        task.Kernel.Scheduler.Workers[task.HomeWorker].CountTask(1);
        if (task.Id.Local == 1)
        {
            task.Id.Namespace.Init = task.ThreadGroup;
        }
    }

    /// <summary>Forgets a thread that has ended and been waited for.</summary>
    [RequiresLock(nameof(Lock))]
    internal void Unregister(Task task)
    {
        _threadCount--;
        task.Id.Task = null;
        task.Id.ReleaseIfUnusedLocked();
    }
}

/// <summary>What a process begins with that no other one forked.</summary>
public sealed class ProcessStart
{
    /// <summary>The hardware thread, with its registers set.</summary>
    public required Platforms.GuestContext Context { get; init; }

    /// <summary>The address space.</summary>
    public required Memory.MemoryManager Memory { get; init; }

    /// <summary>Root, working directory, umask.</summary>
    public required Vfs.FsContext Fs { get; init; }

    /// <summary>Open descriptors.</summary>
    public required Vfs.FdTable Descriptors { get; init; }

    /// <summary>Who it is.</summary>
    public required UserCredentials Credentials { get; init; }

    /// <summary>Its namespaces.</summary>
    public required NamespaceSet Namespaces { get; init; }

    /// <summary>The PID namespace it is in.</summary>
    public required PidNamespace Pids { get; init; }

    /// <summary>comm.</summary>
    public required string Name { get; init; }

    /// <summary>Its limits.</summary>
    public ResourceLimits Limits { get; init; } = new();

    /// <summary>The worker that owns <see cref="Context"/>.</summary>
    public int HomeWorker { get; init; }

    /// <summary>Called once with the process when all its threads have ended, under the task set's lock: note it and return.</summary>
    public Action<ThreadGroup>? Ended { get; init; }
}
