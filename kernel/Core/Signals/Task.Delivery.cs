// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>What happens on the way back to the guest: death, stops, signals, restarts (get_signal() and arch_do_signal_or_restart()).</summary>
public sealed partial class Task
{
    private const long SysRestartSyscall = 219;
    private const ulong SyscallInstructionLength = 2;

    private enum ReturnStep
    {
        /// <summary>Nothing more.</summary>
        Go,

        /// <summary>The task ends.</summary>
        End,

        /// <summary>The task stops.</summary>
        Stop,

        /// <summary>The tracer looks at a signal first.</summary>
        ShowSignal,

        /// <summary>The task stands still for its tracer.</summary>
        Trap,

        /// <summary>A handler runs.</summary>
        Handle,

        /// <summary>Look again.</summary>
        Again,
    }

    private Blocking<bool> PrepareReturn() => PrepareReturnAfterInterruption(Restart.None);

    /// <summary>Looks at what asks for the task's attention.</summary>
    /// <param name="restart">How the system call just left goes on, when it was interrupted.</param>
    /// <returns>False when the task has ended.</returns>
    private async Blocking<bool> PrepareReturnAfterInterruption(Restart restart)
    {
        FinishStart();
        if (restart != Restart.None)
        {
            Kernel.Syscalls.OnLeave(this, SyscallNumber, SyscallArguments, SyscallResult.Restarts(restart));
        }

        SignalInfo? injected = null;
        while (true)
        {
            ClearInterrupt();
            ReturnStep step = NextStep(injected, out SignalInfo info, out SignalAction action, out int trap);
            injected = null;
            switch (step)
            {
                case ReturnStep.End:
                    _ = await StopForEvent(TraceEvent.Exit, (ulong)ThreadGroup.ExitStatus, survivesDeath: true);
                    return Finish();

                case ReturnStep.ShowSignal:
                    ShowRestart(restart);
                    _ = await StopForTracer(info.Signal, info);
                    restart = RestartOfRegisters(restart);
                    injected = TakeInjected(info);
                    break;

                case ReturnStep.Trap:
                    ShowRestart(restart);
                    _ = await StopForTracer(trap);
                    restart = RestartOfRegisters(restart);
                    break;

                case ReturnStep.Stop:
                    await WaitUntilContinued();
                    break;

                case ReturnStep.Handle:
                    LeaveInterrupted(restart, (action.Flags & SignalActionFlags.Restart) != 0);
                    restart = Restart.None;
                    EnterHandler(info, action);
                    break;

                case ReturnStep.Again:
                    break;

                default:
                    RestartWithoutHandler(restart);
                    RestoreSignalMask();
                    return true;
            }
        }
    }

    private ReturnStep NextStep(SignalInfo? injected, out SignalInfo info, out SignalAction action, out int trap)
    {
        action = default;
        trap = 0;
        lock (Kernel.Tasks.Lock)
        {
            if (MustEndLocked())
            {
                info = default;
                return ReturnStep.End;
            }

            if (injected is { } chosen)
            {
                info = chosen;
            }
            else if (TryTakeTrapLocked(out trap))
            {
                info = default;
                return ReturnStep.Trap;
            }
            else if (ThreadGroup.IsStopping && _trace is null)
            {
                info = default;
                IsStopped = true;
                ThreadGroup.CompleteStopIfAllStoppedLocked();
                return ReturnStep.Stop;
            }
            else if (!TryTakeLocked(SignalMask, out info))
            {
                return ReturnStep.Go;
            }
            else if (_trace is not null && info.Signal != SignalNumber.SIGKILL)
            {
                return ReturnStep.ShowSignal;
            }

            ref SignalAction current = ref ThreadGroup.Handlers[info.Signal];
            action = current;
            if (action.Handler == SignalAction.Ignore)
            {
                return ReturnStep.Again;
            }

            if (action.HasHandler)
            {
                if ((action.Flags & SignalActionFlags.ResetHandler) != 0)
                {
                    current.Handler = SignalAction.Default;
                }

                return ReturnStep.Handle;
            }

            return DefaultStepLocked(info);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private ReturnStep DefaultStepLocked(in SignalInfo info)
    {
        switch (DefaultActions.Of(info.Signal))
        {
            case DefaultAction.Ignore or DefaultAction.Continue:
                return ReturnStep.Again;

            case DefaultAction.Stop:
                bool isProtected = ThreadGroup.IsProtectedFromLocked(info.Signal, force: info.Signal == SignalNumber.SIGSTOP);
                if (!isProtected && (info.Signal == SignalNumber.SIGSTOP || !ThreadGroup.ProcessGroup.IsOrphanedLocked()))
                {
                    ThreadGroup.BeginStopLocked(info.Signal);
                }

                return ReturnStep.Again;

            default:
                if (ThreadGroup.IsProtectedFromLocked(info.Signal, force: info.Signal == SignalNumber.SIGKILL))
                {
                    return ReturnStep.Again;
                }

                ThreadGroup.BeginExitLocked(info.Signal);
                return ReturnStep.End;
        }
    }

    private async Blocking<bool> WaitUntilContinued()
    {
        while (true)
        {
            PrepareToWait();
            lock (Kernel.Tasks.Lock)
            {
                if (!ThreadGroup.IsStopping || _trace is { IsGroupStopPending: true } || MustEndLocked())
                {
                    IsStopped = false;
                    return true;
                }
            }

            _ = await Block(kind: BlockKind.Killable);
        }
    }

    /// <summary>Sets the registers of an interrupted call for when a handler runs: EINTR, or the call again behind the handler.</summary>
    private void LeaveInterrupted(Restart restart, bool handlerRestarts)
    {
        if (restart == Restart.None)
        {
            return;
        }

        ref X64Registers registers = ref Registers;
        if (restart == Restart.Always || (restart == Restart.IfHandlerAllows && handlerRestarts))
        {
            RepeatCall(ref registers, SyscallNumber);
        }
        else
        {
            registers.Rax = unchecked((ulong)-(long)Errno.EINTR);
            RestartBlock = null;
        }

        SyscallNumber = -1;
    }

    /// <summary>Sets the registers of an interrupted call so that it is made again, since no handler runs.</summary>
    private void RestartWithoutHandler(Restart restart)
    {
        if (restart != Restart.None)
        {
            RepeatCall(ref Registers, restart == Restart.ByRestartBlock && RestartBlock is not null ? SysRestartSyscall : SyscallNumber);
            SyscallNumber = -1;
        }
    }

    private static void RepeatCall(ref X64Registers registers, long number)
    {
        registers.Rax = unchecked((ulong)number);
        registers.Rip = unchecked(registers.Rip - SyscallInstructionLength);
    }

    /// <summary>Has the guest run a handler next.</summary>
    private void EnterHandler(in SignalInfo info, in SignalAction action)
    {
        SignalSet returnMask = _hasSavedMask ? _savedMask : SignalMask;
        _hasSavedMask = false;
        if (!SignalFrame.Push(this, info, action, returnMask, new TrapState(_trapNumber, _trapError, _faultAddress)))
        {
            // As Linux does: no room for the frame is a SIGSEGV that a handler may only take on another stack.
            if (info.Signal == SignalNumber.SIGSEGV)
            {
                lock (Kernel.Tasks.Lock)
                {
                    ThreadGroup.Handlers[SignalNumber.SIGSEGV].Handler = SignalAction.Default;
                }
            }

            ForceSignal(SignalInfo.FromKernel(SignalNumber.SIGSEGV));
            return;
        }

        SignalSet mask = SignalMask | action.Mask;
        SetSignalMask((action.Flags & SignalActionFlags.NoDefer) != 0 ? mask : mask | SignalSet.Of(info.Signal));
    }

    /// <summary>rt_sigreturn(2): puts back what <see cref="EnterHandler"/> saved.</summary>
    public SyscallResult ReturnFromHandler()
    {
        if (!SignalFrame.Pop(this, out SignalSet mask))
        {
            ForceSignal(SignalInfo.FromKernel(SignalNumber.SIGSEGV));
            return SyscallResult.KeepRegisters;
        }

        RestartBlock = null;
        SetSignalMask(mask);
        return SyscallResult.KeepRegisters;
    }
}

/// <summary>What the last trap of a task was, for the signal frame.</summary>
/// <param name="Number">The x86 trap number.</param>
/// <param name="Error">The error code.</param>
/// <param name="FaultAddress">CR2.</param>
internal readonly record struct TrapState(ulong Number, ulong Error, ulong FaultAddress);

/// <summary>How an interrupted call goes on in restart_syscall(2).</summary>
public abstract class RestartBlock
{
    /// <summary>Goes on with the call.</summary>
    public abstract Blocking<SyscallResult> Continue(Task task);
}
