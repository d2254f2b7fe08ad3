// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>A task that another one traces: where it stops (ptrace_stop() and its callers).</summary>
public sealed partial class Task
{
    private const int RestartSys = 512, RestartNoIntr = 513, RestartNoHand = 514, RestartBlocked = 516;
    private const int TrapBreakpoint = 1;
    private const ulong TrapFlag = 0x100;

    private TraceState? _trace;
    private int _injectedSignal;
    private SignalInfo? _shownInfo;
    private bool _steps;

    /// <summary>The hold of a tracer, or null. Written under <see cref="TaskSet.Lock"/>.</summary>
    internal TraceState? Trace => Volatile.Read(ref _trace);

    /// <summary>The thread that traces this one, or null.</summary>
    public Task? Tracer => Trace?.Tracer;

    /// <summary>Whether it stands still for its tracer.</summary>
    public bool IsTraceStopped => Trace is { IsStopped: true };

    private bool StopsAtCalls => Trace is { Resume: TraceResume.SystemCall };

    /// <summary>Stands still until the tracer lets the task go on, or it is killed. Returns at once when nobody traces it.</summary>
    /// <param name="code">Signal and event, as the tracer waits for them.</param>
    /// <param name="info">The signal about to be delivered, or null.</param>
    /// <param name="point">Where in a system call.</param>
    /// <param name="survivesDeath">Whether only the tracer ends the stop (the last one, before the end).</param>
    private async Blocking<bool> StopForTracer(int code, SignalInfo? info = null, TracePoint point = TracePoint.None, bool survivesDeath = false)
    {
        lock (Kernel.Tasks.Lock)
        {
            _injectedSignal = 0;
            if (_trace is not { } trace || (MustEndLocked() && !survivesDeath))
            {
                return false;
            }

            trace.IsStopped = true;
            trace.IsListening = false;
            trace.StopCode = code;
            trace.Info = info;
            trace.Point = point;
            ThreadGroup.CompleteStopIfAllStoppedLocked();
            ReportToTracerLocked(trace);
        }

        while (true)
        {
            PrepareToWait();
            TraceRequest? request;
            lock (Kernel.Tasks.Lock)
            {
                if (_trace is not { IsStopped: true } trace)
                {
                    return true;
                }

                if (MustEndLocked() && !survivesDeath)
                {
                    trace.IsStopped = false;
                    trace.HasReport = false;
                    return true;
                }

                request = trace.Request;
                trace.Request = null;
            }

            if (request is not null)
            {
                request.Run(this);
                request.Complete();
                continue;
            }

            _ = await Block(kind: survivesDeath ? BlockKind.Uninterruptible : BlockKind.Killable);
        }
    }

    /// <summary>Tells the tracer of a stop or an end.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void ReportToTracerLocked(TraceState trace)
    {
        trace.HasReport = true;
        ThreadGroup tracer = trace.Tracer.ThreadGroup;
        ref SignalAction action = ref tracer.Handlers[SignalNumber.SIGCHLD];
        if (trace.EndStatus is null && action.Handler != SignalAction.Ignore && (action.Flags & SignalActionFlags.NoChildStop) == 0)
        {
            _ = tracer.SendLocked(new SignalInfo
            {
                Signal = SignalNumber.SIGCHLD,
                Code = SignalInfo.CLD_TRAPPED,
                Pid = Id.NumberIn(trace.Tracer.PidNamespace),
                Uid = trace.Tracer.Credentials.UserNamespace.ToGuestUid(Credentials.RealUid),
                Status = trace.StopCode & 0x7f,
            });
        }

        tracer.ChildEvents.Notify(PollEvents.Internal);
    }

    /// <summary>Stops for an event that the tracer asked for.</summary>
    /// <returns>Whether it stopped.</returns>
    private Blocking<bool> StopForEvent(TraceEvent what, ulong message, bool survivesDeath = false)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (_trace is not { } trace || !HasOption(trace.Options, what))
            {
                return false;
            }

            trace.EventMessage = message;
        }

        return StopForTracer(SignalNumber.SIGTRAP | ((int)what << 8), survivesDeath: survivesDeath);
    }

    private static bool HasOption(TraceOptions options, TraceEvent what) => (options & what switch
    {
        TraceEvent.Fork => TraceOptions.Fork,
        TraceEvent.Vfork => TraceOptions.Vfork,
        TraceEvent.Clone => TraceOptions.Clone,
        TraceEvent.Exec => TraceOptions.Exec,
        TraceEvent.VforkDone => TraceOptions.VforkDone,
        TraceEvent.Exit => TraceOptions.Exit,
        TraceEvent.Seccomp => TraceOptions.Seccomp,
        _ => TraceOptions.None,
    }) != 0;

    /// <summary>Serves a system call of a task that is traced or has filters: the tracer may look, and change it, before and behind it.</summary>
    private async Blocking<bool> ServeWatchedCall()
    {
        Registers.Rax = unchecked((ulong)-(long)Errno.ENOSYS);
        bool isSkipped = false;
        if (StopsAtCalls)
        {
            _ = await StopAtCall(TracePoint.Entry);
            isSkipped = ReadCallAgain();
        }

        SyscallResult instead = SyscallResult.KeepRegisters;
        if (!isSkipped && Seccomp is { } state && !TrySeccomp(state, out instead, out int data))
        {
            isSkipped = data < 0 || Trace is not { } trace || (trace.Options & TraceOptions.Seccomp) == 0;
            if (!isSkipped)
            {
                Trace!.EventMessage = (ulong)data;
                _ = await StopForTracer(SignalNumber.SIGTRAP | ((int)TraceEvent.Seccomp << 8), point: TracePoint.Seccomp);
                isSkipped = ReadCallAgain();
                instead = SyscallResult.KeepRegisters;
            }
        }

        lock (Kernel.Tasks.Lock)
        {
            isSkipped |= MustEndLocked();
        }

        return await FinishSyscall(isSkipped ? instead : Kernel.Syscalls.Dispatch(this, SyscallNumber, SyscallArguments));
    }

    /// <summary>Reads the call from the registers again; true when the tracer took it away.</summary>
    private bool ReadCallAgain()
    {
        ref X64Registers registers = ref Registers;
        SyscallNumber = unchecked((int)registers.OrigRax);
        SyscallArguments = new SyscallArgs(registers.Rdi, registers.Rsi, registers.Rdx, registers.R10, registers.R8, registers.R9);
        return SyscallNumber == -1;
    }

    private async Blocking<bool> StopAtCall(TracePoint point)
    {
        int code = SignalNumber.SIGTRAP | (Trace is { } trace && (trace.Options & TraceOptions.MarksSystemCalls) != 0 ? 0x80 : 0);
        bool stopped = await StopForTracer(code, point: point);
        if (_injectedSignal != 0)
        {
            _ = Send(InjectedInfo(_injectedSignal));
        }

        return stopped;
    }

    /// <summary>The stop behind a system call, and the trap of a single step over it.</summary>
    private async Blocking<Restart> LeaveWatchedCall(Restart restart)
    {
        ShowRestart(restart);
        if (StopsAtCalls)
        {
            _ = await StopAtCall(TracePoint.Exit);
            return RestartOfRegisters(restart);
        }

        if (Trace is { Resume: TraceResume.Step })
        {
            ForceSignal(new SignalInfo { Signal = SignalNumber.SIGTRAP, Code = TrapBreakpoint, Address = Registers.Rip });
        }

        return restart;
    }

    /// <summary>Shows an interrupted call in the registers as Linux does: -ERESTART*.</summary>
    private void ShowRestart(Restart restart)
    {
        if (restart != Restart.None)
        {
            int code = restart switch
            {
                Restart.IfHandlerAllows => RestartSys,
                Restart.Always => RestartNoIntr,
                Restart.IfNoHandler => RestartNoHand,
                _ => RestartBlocked,
            };
            Registers.Rax = unchecked((ulong)-(long)code);
            Registers.OrigRax = unchecked((ulong)SyscallNumber);
        }
    }

    /// <summary>How the registers say that a call goes on, after a stop: the tracer may have changed them.</summary>
    private Restart RestartOfRegisters(Restart before)
    {
        ref X64Registers registers = ref Registers;
        Restart now = unchecked((long)registers.OrigRax) < 0 ? Restart.None : unchecked((long)registers.Rax) switch
        {
            -RestartSys => Restart.IfHandlerAllows,
            -RestartNoIntr => Restart.Always,
            -RestartNoHand => Restart.IfNoHandler,
            -RestartBlocked => Restart.ByRestartBlock,
            _ => Restart.None,
        };
        if (now != Restart.None || before != Restart.None)
        {
            SyscallNumber = now == Restart.None ? -1 : unchecked((int)registers.OrigRax);
        }

        return now;
    }

    /// <summary>The signal that the tracer put in the place of the one that it was shown; null for none.</summary>
    private SignalInfo? TakeInjected(in SignalInfo shown)
    {
        lock (Kernel.Tasks.Lock)
        {
            int signal = _injectedSignal;
            _injectedSignal = 0;
            if (signal == 0)
            {
                return null;
            }

            SignalInfo info = signal == shown.Signal ? _shownInfo ?? shown : InjectedInfo(signal);
            if (SignalMask.Contains(signal))
            {
                _ = Pending.Add(info, ulong.MaxValue);
                return null;
            }

            return info;
        }
    }

    private SignalInfo InjectedInfo(int signal)
    {
        Task? tracer = Tracer;
        return SignalInfo.FromProcess(signal, SignalInfo.SI_USER, tracer?.ThreadGroup.PidIn(PidNamespace) ?? 0, tracer is null ? 0 : Credentials.UserNamespace.ToGuestUid(tracer.Credentials.RealUid));
    }

    /// <summary>The code of a stop that is due: an interruption's, or the process's.</summary>
    [RequiresLock("TaskSet.Lock")]
    private bool TryTakeTrapLocked(out int code)
    {
        code = 0;
        if (_trace is not { } trace)
        {
            return false;
        }

        if (trace.IsGroupStopPending)
        {
            trace.IsGroupStopPending = trace.IsInterruptPending = false;
            if (ThreadGroup.IsStopping)
            {
                code = ThreadGroup.StopSignal | (trace.IsSeized ? (int)TraceEvent.Stop << 8 : 0);
                return true;
            }
        }

        if (trace.IsInterruptPending)
        {
            trace.IsInterruptPending = false;
            code = SignalNumber.SIGTRAP | ((int)TraceEvent.Stop << 8);
            return true;
        }

        return false;
    }

    /// <summary>Single steps: the hardware traps behind the next instruction.</summary>
    private void PrepareStep()
    {
        if (Trace is { Resume: TraceResume.Step })
        {
            _steps = true;
            Registers.Eflags |= TrapFlag;
        }
    }

    /// <summary>Takes the flag of <see cref="PrepareStep"/> out of the registers again.</summary>
    private void EndStep()
    {
        if (_steps)
        {
            _steps = false;
            Registers.Eflags &= ~TrapFlag;
            if (Context!.Exit == Platforms.GuestExit.Syscall)
            {
                Registers.R11 &= ~TrapFlag; // where the instruction saved the flags
            }
        }
    }
}
