// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;

namespace CVisor.Core.Tasks;

/// <summary>The end of a task.</summary>
public sealed partial class Task
{
    private bool _endsNow;
    private int _exitStatus;

    /// <summary>Whether another thread of the process calls execve(2), so that this one must end.</summary>
    internal bool IsEndedByExecve { get; set; }

    /// <summary>Told when this task lets go of the memory that a parent in vfork(2) lent it.</summary>
    internal VforkWait? Vfork { get; set; }

    /// <summary>exit(2): the task ends once the handler has returned.</summary>
    /// <param name="status">A wait(2) status: exit code &lt;&lt; 8, or the signal number.</param>
    public SyscallResult RequestExit(int status)
    {
        _endsNow = true;
        _exitStatus = status;
        return SyscallResult.KeepRegisters;
    }

    /// <summary>exit_group(2): all threads of the process end.</summary>
    /// <param name="status">A wait(2) status.</param>
    public SyscallResult RequestGroupExit(int status)
    {
        lock (Kernel.Tasks.Lock)
        {
            ThreadGroup.BeginExitLocked(status);
        }

        return RequestExit(status);
    }

    [RequiresLock("TaskSet.Lock")]
    private bool MustEndLocked() => _endsNow || IsEndedByExecve || ThreadGroup.IsExiting;

    /// <summary>Takes the task apart; returns false, which tells the worker to forget it.</summary>
    private bool Finish()
    {
        ReleaseMemory();
        LeaveIpc();
        Descriptors.RemoveUser(this);
        Fs.RemoveUser();
        SetTimePhase(TimePhase.None);
        lock (Kernel.Tasks.Lock)
        {
            HasExited = true;
            IsStopped = false;
            ReleaseTraceesLocked();
            ThreadGroup.OnThreadExitedLocked(this, _exitStatus);
        }

        Kernel.Scheduler.Workers[HomeWorker].CountTask(-1);
        SetRunState(RunState.Exited);
        return false;
    }

    /// <summary>What a task owes to others before its memory goes (mm_release()): robust futexes, the thread id that pthread_join waits for, a vfork parent.</summary>
    private void ReleaseMemory()
    {
        LeaveMemory(Memory);
        Platforms.GuestContext context = Context!;
        Context = null;
        context.Destroy();
        Memory.RemoveUser();
    }

    /// <summary>Called with the memory that the task is about to leave, by its end or by execve(2).</summary>
    private void LeaveMemory(MemoryManager memory)
    {
        Kernel.Futexes.ReleaseRobustList(this);
        UserPtr clear = ClearChildTid;
        ClearChildTid = default;
        if (!clear.IsNull && memory.Users > 1)
        {
            _ = memory.CopyOut(clear, 0);
            _ = Kernel.Futexes.Wake(memory, clear, isPrivate: false, 1, uint.MaxValue, out _);
        }

        VforkWait? vfork = Vfork;
        Vfork = null;
        vfork?.Complete();
    }
}

/// <summary>A parent that waits in vfork(2) for its child to end or to call execve(2).</summary>
internal sealed class VforkWait(Task parent)
{
    private volatile bool _isDone;

    internal bool IsDone => _isDone;

    internal void Complete()
    {
        _isDone = true;
        parent.Wake();
    }
}
