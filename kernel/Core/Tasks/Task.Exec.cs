// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>execve(2): the process goes on with another program (fs/exec.c).</summary>
public sealed partial class Task
{
    /// <summary>Replaces the program. The task itself only, in a system call.</summary>
    /// <param name="request">What to run; its credentials are those that the program will have.</param>
    /// <param name="clearsParentDeathSignal">Whether the program has other privileges than its caller, which ends PR_SET_PDEATHSIG.</param>
    /// <returns>Registers set for the program, or an error with the old program untouched.</returns>
    public async Blocking<SyscallResult> Execute(ProgramRequest request, bool clearsParentDeathSignal)
    {
        AddressSpace space = Worker.Current!.Executor.CreateAddressSpace();
        LoadResult loaded = await ProgramLoader.Load(Kernel, space, request);
        if (loaded.Program is not { } program)
        {
            return loaded.Error;
        }

        ulong formerTid = Tracer is { } tracer ? (ulong)Id.NumberIn(tracer.PidNamespace) : 0;
        GuestContext? context = Worker.Current!.Executor.CreateContext(program.Memory.Space, null);
        Errno error = context is null ? Errno.EAGAIN : Errno.None;
        if (error == Errno.None)
        {
            error = await EndOtherThreads();
        }

        if (error != Errno.None)
        {
            context?.Destroy();
            program.Memory.RemoveUser();
            return error;
        }

        // The point of no return.
        program.Memory.DumpFilter = Memory.DumpFilter;
        SwitchMemory(program.Memory, context!);
        Memory.InstallAhead(context!, program.Entry, program.StackPointer);
        CloseOnExecute();
        lock (Kernel.Tasks.Lock)
        {
            ThreadGroup.Handlers = ThreadGroup.Handlers.WithoutHandlers();
            ThreadGroup.HasExecuted = true;
            ThreadGroup.ExitSignal = SignalNumber.SIGCHLD;
            ThreadGroup.DeletePosixTimersLocked();
            SignalStack = SignalStack.None;
        }

        if (clearsParentDeathSignal)
        {
            ParentDeathSignal = 0;
        }

        Credentials = request.Credentials;
        Memory.Dumpable = request.IsSecure ? 0 : 1;
        Name = program.Name;
        RestartBlock = null;
        _ = ExtendedState.Reset(context!);
        StartProgram(program);
        _mayMove = true;
        if (Trace is { } trace)
        {
            if ((trace.Options & TraceOptions.Exec) != 0)
            {
                _ = await StopForEvent(TraceEvent.Exec, formerTid);
            }
            else if (!trace.IsSeized)
            {
                _ = Send(SignalInfo.FromProcess(SignalNumber.SIGTRAP, SignalInfo.SI_USER, ThreadGroup.PidIn(PidNamespace), 0));
            }
        }

        return SyscallResult.KeepRegisters;
    }

    /// <summary>Ends all other threads of the process and takes the leader's id over (de_thread()).</summary>
    /// <returns>None; EAGAIN when another thread is at it, or the process is to end.</returns>
    private async Blocking<Errno> EndOtherThreads()
    {
        ThreadGroup group = ThreadGroup;
        lock (Kernel.Tasks.Lock)
        {
            if (MustEndLocked() || group.Executing is not null)
            {
                return Errno.EAGAIN;
            }

            group.Executing = this;
            foreach (Task thread in group.Threads)
            {
                if (thread != this)
                {
                    thread.IsEndedByExecve = true;
                    thread.Wake(Wakeups.Kill);
                }
            }
        }

        while (true)
        {
            PrepareToWait();
            lock (Kernel.Tasks.Lock)
            {
                if (group.IsExiting || group.LiveThreads == 1)
                {
                    group.Executing = null;
                    if (group.IsExiting)
                    {
                        return Errno.EAGAIN;
                    }

                    BecomeLeaderLocked();
                    return Errno.None;
                }
            }

            _ = await Block(kind: BlockKind.Killable);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void BecomeLeaderLocked()
    {
        Task leader = ThreadGroup.Leader;
        if (leader == this)
        {
            return;
        }

        (Id, leader.Id) = (leader.Id, Id);
        Id.Task = this;
        ThreadGroup.Leader = this;
        _ = ThreadGroup.Threads.Remove(leader);
        foreach (ThreadGroup child in ThreadGroup.Children)
        {
            child.SetParentLocked(this);
        }

        leader.DropTraceLocked();
        Kernel.Tasks.Unregister(leader);
    }

    private void SwitchMemory(MemoryManager memory, GuestContext context)
    {
        LeaveMemory(Memory);
        MemoryManager oldMemory = Memory;
        GuestContext oldContext = Context!;
        ThreadGroup.NoteResidentBytes(oldMemory.ResidentBytes);
        context.Owner = this;
        lock (Kernel.Tasks.Lock)
        {
            Memory = memory;
        }

        Context = context;
        oldContext.Destroy();
        oldMemory.RemoveUser();
    }

    private void CloseOnExecute()
    {
        if (!Descriptors.IsExclusive)
        {
            FdTable own = Descriptors.Clone();
            Descriptors.RemoveUser(this);
            Descriptors = own;
        }

        foreach (FileDescription description in Descriptors.RemoveCloseOnExec())
        {
            _ = description.OnClose(this);
            description.Unreference();
        }
    }

    private bool _mayMove;

    /// <summary>Moves a task that has just started a program, and so has no sibling and no state here, to a worker that has less to do.</summary>
    /// <returns>Whether it moved: another worker has it now.</returns>
    private bool TryMoveHome(IExecutor executor)
    {
        _mayMove = false;
        int home = Kernel.Scheduler.ChooseHome(HomeWorker);
        if (home == HomeWorker || !executor.TryExport(Context!))
        {
            return false;
        }

        Kernel.Scheduler.Workers[HomeWorker].CountTask(-1);
        Kernel.Scheduler.Workers[home].CountTask(1);
        HomeWorker = home;
        SetTimePhase(TimePhase.None);
        SetRunState(RunState.Queued);
        Kernel.Scheduler.Enqueue(this);
        return true;
    }
}
