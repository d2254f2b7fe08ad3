// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Namespaces;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>The end of a process (kernel/exit.c).</summary>
public sealed partial class ThreadGroup
{
    private int _status;

    /// <summary>The wait(2) status once it has ended, or is about to (<see cref="IsExiting"/>).</summary>
    public int ExitStatus => Volatile.Read(ref _status);

    /// <summary>Whether all threads are to end (exit_group, a fatal signal).</summary>
    internal bool IsExiting { get; private set; }

    /// <summary>Whether all threads have ended: a zombie, or gone.</summary>
    public bool IsZombie { get; private set; }

    /// <summary>Whether it has been waited for.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Called once when all threads have ended.</summary>
    internal Action<ThreadGroup>? Ended { get; set; }

    /// <summary>Threads that have ended and wait for their tracer.</summary>
    internal int TracedZombies { get; set; }

    /// <summary>The thread that calls execve(2) and waits for the others to end; null when there is none.</summary>
    internal Task? Executing { get; set; }

    /// <summary>Tells all threads to end; the first status given counts.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void BeginExitLocked(int status)
    {
        if (IsExiting || IsZombie)
        {
            return;
        }

        IsExiting = true;
        Volatile.Write(ref _status, status);
        foreach (Task thread in Threads)
        {
            thread.Wake(Task.Wakeups.Kill);
        }
    }

    /// <summary>Ends the process as if a signal had, whatever it does about that signal. Thread-safe.</summary>
    public void EndBySignal(int signal)
    {
        lock (Kernel.Tasks.Lock)
        {
            BeginExitLocked(signal);
        }
    }

    /// <summary>Takes a thread out that has ended.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void OnThreadExitedLocked(Task task, int status)
    {
        LiveThreads--;
        AccountExitedLocked(task);
        if (task == Leader && !IsExiting)
        {
            Volatile.Write(ref _status, status);
        }

        if (LiveThreads > 0)
        {
            ReassignChildrenLocked(task);
        }

        if (task != Leader)
        {
            _ = Threads.Remove(task);
            if (!task.TryBecomeTracedZombieLocked(IsExiting ? ExitStatus : status))
            {
                Kernel.Tasks.Unregister(task);
            }
        }

        Executing?.Wake();
        if (LiveThreads == 0)
        {
            EndLocked();
        }
        else
        {
            CompleteStopIfAllStoppedLocked();
        }
    }

    /// <summary>Children of a thread that ends go to another thread of the process.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void ReassignChildrenLocked(Task leaving)
    {
        Task? other = Threads.Find(t => t != leaving && !t.HasExited);
        foreach (ThreadGroup child in Children)
        {
            if (child.ParentThread == leaving && other is not null)
            {
                child.SetParentLocked(other);
                child.SendParentDeathLocked();
            }
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void EndLocked()
    {
        IsZombie = true;
        CancelTimersLocked();
        if (IsInit)
        {
            CloseNamespaceLocked(Leader.Id.Namespace);
        }

        ReparentChildrenLocked();
        if (Session.Leader == this)
        {
            Session.Leader = null;
            Session.LoseTerminalLocked(continues: false);
        }

        if (Parent is { } parent && parent.ProcessGroup != ProcessGroup && parent.Session == Session)
        {
            ProcessGroup.HangUpIfOrphanedLocked(this);
        }

        EndEvents.NotifyAll(PollEvents.In | PollEvents.RdNorm);
        Ended?.Invoke(this);
        Ended = null;
        NotifyParentOfEndLocked();
        Kernel.OnProcessEnded(this);
    }

    /// <summary>The first process of a PID namespace takes all others with it.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void CloseNamespaceLocked(PidNamespace ns)
    {
        ns.IsClosed = true;
        foreach (ProcessId id in ns.IdsLocked)
        {
            if (id.Task is { } task && task.ThreadGroup != this)
            {
                task.ThreadGroup.BeginExitLocked(SignalNumber.SIGKILL);
            }
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void ReparentChildrenLocked()
    {
        if (Children.Count == 0)
        {
            return;
        }

        ThreadGroup? reaper = FindReaperLocked();
        ThreadGroup[] orphans = [.. Children];
        Children.Clear();
        foreach (ThreadGroup child in orphans)
        {
            child.SetParentLocked(reaper?.Threads.Find(static t => !t.HasExited));
            reaper?.Children.Add(child);
            child.SendParentDeathLocked();
            if (reaper is not null)
            {
                child.ExitSignal = SignalNumber.SIGCHLD;
            }

            if (child.IsZombie)
            {
                child.NotifyParentOfEndLocked();
            }
            else if (child.ProcessGroup != ProcessGroup && child.Session == Session)
            {
                child.ProcessGroup.HangUpIfOrphanedLocked(leaving: null);
            }
        }
    }

    /// <summary>Who takes the children over: the nearest ancestor that asked to (PR_SET_CHILD_SUBREAPER), or the namespace's first process.</summary>
    [RequiresLock("TaskSet.Lock")]
    private ThreadGroup? FindReaperLocked()
    {
        PidNamespace ns = Leader.Id.Namespace;
        for (ThreadGroup? at = Parent; at is not null && at.Leader.Id.Namespace == ns; at = at.Parent)
        {
            if (at.IsSubreaper && !at.IsZombie && !at.IsExiting)
            {
                return at;
            }
        }

        return ns.Init is { IsZombie: false } init && init != this ? init : null;
    }

    [RequiresLock("TaskSet.Lock")]
    private void SendParentDeathLocked()
    {
        foreach (Task thread in Threads)
        {
            if (thread.ParentDeathSignal != 0 && !thread.HasExited)
            {
                _ = SendLocked(SignalInfo.FromProcess(thread.ParentDeathSignal, SignalInfo.SI_USER, 0, 0));
            }
        }
    }

    /// <summary>Tells the parent, or takes the process away when nobody wants to know.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void NotifyParentOfEndLocked()
    {
        if (TracedZombies > 0)
        {
            return; // A process has not ended for its parent until its last thread is gone (delay_group_leader()).
        }

        ThreadGroup? parent = Parent;
        if (Leader.Tracer is { } tracer && tracer.ThreadGroup != parent && Leader.TryBecomeTracedZombieLocked(ExitStatus))
        {
            return; // The tracer hears of it first; the parent when that has let go.
        }

        if (parent is null || parent.IsZombie)
        {
            ReapLocked();
            return;
        }

        bool autoReap = false;
        int signal = ExitSignal;
        if (signal == SignalNumber.SIGCHLD)
        {
            ref SignalAction action = ref parent.Handlers[signal];
            autoReap = action.Handler == SignalAction.Ignore || (action.Flags & SignalActionFlags.NoChildWait) != 0;
            if (action.Handler == SignalAction.Ignore)
            {
                signal = 0;
            }
        }

        if (signal != 0)
        {
            int status = ExitStatus;
            bool killed = (status & 0x7f) != 0;
            int code = !killed ? SignalInfo.CLD_EXITED : (status & 0x80) != 0 ? SignalInfo.CLD_DUMPED : SignalInfo.CLD_KILLED;
            _ = parent.SendLocked(ChildInfo(parent, signal, code, killed ? status & 0x7f : (status >> 8) & 0xff));
        }

        if (autoReap)
        {
            ReapLocked();
        }

        parent.ChildEvents.Notify(PollEvents.Internal);
    }

    /// <summary>A SIGCHLD about this process as a parent sees it.</summary>
    private SignalInfo ChildInfo(ThreadGroup parent, int signal, int code, int status) => new()
    {
        Signal = signal,
        Code = code,
        Pid = PidIn(parent.Leader.Id.Namespace),
        Uid = parent.Leader.Credentials.UserNamespace.ToGuestUid(Leader.Credentials.RealUid),
        Status = status,
        UserTicks = TotalTime.UserNs / Time.KernelClock.NsPerTick,
        SystemTicks = TotalTime.SystemNs / Time.KernelClock.NsPerTick,
    };

    /// <summary>Takes a process away from its parent, who will never hear of it.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void DisownLocked()
    {
        if (!IsZombie)
        {
            _ = Parent?.Children.Remove(this);
            SetParentLocked(null);
        }
    }

    /// <summary>Takes the zombie away.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void ReapLocked()
    {
        if (IsDead)
        {
            return;
        }

        IsDead = true;
        Leader.DropTraceLocked();
        if (Parent is { } parent)
        {
            _ = parent.Children.Remove(this);
            parent.AccountReapedLocked(this);
        }

        ProcessGroup.RemoveLocked(this);
        _ = Threads.Remove(Leader);
        Kernel.Tasks.Unregister(Leader);
    }
}
