// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Memory;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>One trip of a task through the kernel: from a guest exit to the release, a wait or the end.</summary>
public sealed partial class Task
{
    private Blocking<bool> _work;
    private bool _hasWork;
    private bool _metShortage;

    /// <summary>The worker that runs this task.</summary>
    internal int HomeWorker { get; set; }

    /// <summary>The system call being served, or -1; for restarts, /proc and strace.</summary>
    public long SyscallNumber { get; private set; } = -1;

    /// <summary>The arguments of <see cref="SyscallNumber"/>.</summary>
    public SyscallArgs SyscallArguments { get; private set; }

    /// <summary>The general registers; the task's own worker only.</summary>
    public ref X64Registers Registers => ref Context!.Registers;

    /// <summary>Sets the registers for the first instruction of a program: all zero but the instruction and stack pointers (ELF_PLAT_INIT).</summary>
    internal void StartProgram(Loader.LoadedProgram program) => Context!.Registers = new X64Registers
    {
        Rip = program.Entry,
        Rsp = program.StackPointer,
        Cs = X64Registers.UserCs,
        Ss = X64Registers.UserSs,
        Eflags = X64Registers.FixedEflags,
        OrigRax = unchecked((ulong)SyscallNumber),
    };

    /// <summary>A copy of the call being served found no memory, or took more than there is; the call's end sees to it. Any lock may be held.</summary>
    [NoAlloc]
    internal void NoteShortage() => _metShortage = true;

    /// <summary>The guest came back.</summary>
    internal void OnGuestExit(IExecutor executor)
    {
        SetTimePhase(TimePhase.System);
        GuestContext context = Context!;
        EndStep();
        switch (context.Exit)
        {
            case GuestExit.Syscall:
                EnterSyscall();
                break;
            case GuestExit.Fault:
                OnFault(context);
                break;
            case GuestExit.ForeignSyscall:
                // int 0x80 and sysenter: the 32-bit table does not exist here, as on a kernel without IA32 emulation's calls.
                context.Registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
                break;
            case GuestExit.Lost:
                OnHardwareLost();
                break;
        }

        GoOn(executor);
    }

    /// <summary>The task was woken, or runs for the first time.</summary>
    internal void OnResume(IExecutor executor)
    {
        SetTimePhase(TimePhase.System);
        if (IsWaiting)
        {
            _ = ContinueWait();
        }

        GoOn(executor);
    }

    /// <summary>Drives the task on until it has left the kernel.</summary>
    private void GoOn(IExecutor executor)
    {
        while (true)
        {
            if (_hasWork)
            {
                while (!_work.IsCompleted)
                {
                    SetTimePhase(TimePhase.None); // Before: once parked, another worker's wake-up may have it run again.
                    if (Context is { } waiting)
                    {
                        executor.Park(waiting);
                    }

                    if (Park())
                    {
                        return;
                    }

                    SetTimePhase(TimePhase.System);
                    _ = ContinueWait();
                }

                _hasWork = false;
                if (!_work.Take())
                {
                    return; // It has ended.
                }
            }

            if (IsInterruptRequested)
            {
                Start(PrepareReturn());
                continue;
            }

            if (_mayMove && TryMoveHome(executor))
            {
                return;
            }

            if (_lacksAnswers)
            {
                GiveAnswers();
            }

            SetRunState(RunState.InGuest);
            if (IsInterruptRequested && TryMove(RunState.InGuest, RunState.InKernel))
            {
                continue;
            }

            PrepareStep();
            SetTimePhase(TimePhase.User);
            executor.Release(Context!);
            return;
        }
    }

    private void Start(Blocking<bool> work)
    {
        _work = work;
        _hasWork = true;
    }

    private void EnterSyscall()
    {
        ref X64Registers registers = ref Context!.Registers;
        SyscallNumber = unchecked((long)registers.OrigRax);
        SyscallArguments = new SyscallArgs(registers.Rdi, registers.Rsi, registers.Rdx, registers.R10, registers.R8, registers.R9);
        if (IsWatched)
        {
            Start(ServeWatchedCall());
            return;
        }

        Blocking<SyscallResult> call = Kernel.Syscalls.Dispatch(this, SyscallNumber, SyscallArguments);
        if (call.IsCompleted)
        {
            SyscallResult result = AfterShortage(call.Take());
            if (!result.IsRestart && State != RunState.Exited && !_endsNow)
            {
                LeaveSyscall(result);
                return;
            }

            call = result;
        }

        Start(FinishSyscall(call));
    }

    private async Blocking<bool> FinishSyscall(Blocking<SyscallResult> call)
    {
        SyscallResult result = AfterShortage(await call);
        if (_endsNow)
        {
            _ = await StopForEvent(TraceEvent.Exit, (ulong)_exitStatus, survivesDeath: true);
            return Finish();
        }

        if (!result.IsRestart)
        {
            LeaveSyscall(result);
        }

        Restart restart = result.Restart;
        if (Trace is not null)
        {
            restart = await LeaveWatchedCall(restart);
        }

        // EINTR or a restart: whether a handler runs decides, so the signals come first.
        return restart == Restart.None || await PrepareReturnAfterInterruption(restart);
    }

    /// <summary>Has somebody killed when the call met a shortage, and makes it again when a copy of it failed: Linux's copies wait for the page (pagefault_out_of_memory()).</summary>
    private SyscallResult AfterShortage(SyscallResult result)
    {
        if (!_metShortage)
        {
            return result;
        }

        _metShortage = false;
        if (State == RunState.Exited || _endsNow)
        {
            return result; // Its own memory is about to come free.
        }

        Kernel.MemoryWatch.OnShortage(ThreadGroup);
        return result.Error == Errno.EFAULT ? SyscallResult.Restarts(Restart.Always) : result;
    }

    private void LeaveSyscall(SyscallResult result)
    {
        if (!result.KeepsRegisters)
        {
            Context!.Registers.Rax = unchecked((ulong)result.Register);
        }

        Kernel.Syscalls.OnLeave(this, SyscallNumber, SyscallArguments, result);
        SyscallNumber = -1;
    }

    private void OnFault(GuestContext context)
    {
        GuestFault fault = context.Fault;
        const int Sigsegv = 11;
        const int Sigbus = 7;
        const int MapErr = 1;
        if (fault.Signal == Sigsegv && (fault.Code is 1 or 2))
        {
            switch (Memory.HandleFault(context, fault))
            {
                case FaultOutcome.Resolved:
                    CountFault();
                    Kernel.MemoryWatch.OnHandedOut();
                    return;
                case FaultOutcome.NotMapped:
                    ForceFaultSignal(fault with { Code = MapErr });
                    return;
                case FaultOutcome.Forbidden:
                    ForceFaultSignal(fault with { Code = 2 });
                    return;
                case FaultOutcome.BeyondEnd:
                    ForceFaultSignal(fault with { Signal = Sigbus, Code = 2 });
                    return;
                default:
                    Kernel.MemoryWatch.OnShortage(ThreadGroup);
                    return;
            }
        }

        ForceFaultSignal(fault);
    }
}

/// <summary>What serves system calls; the generated table, given by the boot code.</summary>
public interface ISyscallTable
{
    /// <summary>Serves a call. Unknown numbers answer ENOSYS.</summary>
    Blocking<SyscallResult> Dispatch(Task task, long number, in SyscallArgs args);

    /// <summary>Calls that the platform may answer in the kernel's place, by numbers. Nobody is told when it does.</summary>
    ReadOnlySpan<int> StandingCalls => [];

    /// <summary>What <see cref="StandingCalls"/> would answer a task, in their order. Called under <see cref="TaskSet.Lock"/>.</summary>
    void Answer(Task task, Span<ulong> answers)
    {
    }

    /// <summary>Called when a call's result is about to be written; for strace.</summary>
    void OnLeave(Task task, long number, in SyscallArgs args, in SyscallResult result);
}
