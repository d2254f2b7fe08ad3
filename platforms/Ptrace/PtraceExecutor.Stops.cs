// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>Releasing contexts and making sense of their stops.</summary>
internal sealed partial class PtraceExecutor
{
    private const ulong VsyscallPage = 0xffffffffff600000, PageMask = ~0xfffUL;

    /// <inheritdoc/>
    [NoAlloc]
    public void Release(GuestContext context)
    {
        PtraceContext stub = (PtraceContext)context;
        ref X64Registers registers = ref stub.Registers;
        registers.OrigRax = ulong.MaxValue;
        registers.Cs = X64Registers.UserCs;
        registers.Ss = X64Registers.UserSs;
        registers.Eflags = (registers.Eflags & X64Registers.UserEflags) | X64Registers.FixedEflags;
        if (stub.IsDead || Tracee.SetRegisters(stub.Tid, ref registers).IsError || HostCalls.Ptrace(PTRACE_SYSEMU, stub.Tid, 0, 0).IsError)
        {
            stub.Exit = GuestExit.Lost;
            _ready.Enqueue(stub);
            return;
        }

        stub.IsReleased = true;
        _releasedCount++;
    }

    /// <inheritdoc/>
    public void Park(GuestContext context)
    {
        // A tracee is one guest thread's for good.
    }

    /// <inheritdoc/>
    public GuestContext? Wait(WaitMode block)
    {
        while (true)
        {
            while (_posted.TryDequeue(out Action? action))
            {
                action();
            }

            if (_ready.TryDequeue(out PtraceContext? ready))
            {
                return ready;
            }

            if (block == WaitMode.Poll)
            {
                int polled = 0;
                HostResult poll = _releasedCount == 0 ? default : HostCalls.Wait4NoHang(-1, ref polled, __WALL | __WNOTHREAD | WNOHANG);
                if (poll.IsError || poll.Value == 0)
                {
                    return null;
                }

                if (poll.Int == _bell)
                {
                    // A ring that came while this thread was awake: the bell must go on, or the next ring would not be heard.
                    _ = HostCalls.Ptrace(PTRACE_CONT, _bell, 0, 0);
                    WakeUp();
                    return null;
                }

                if (OnReport(poll.Int, polled) is { } early)
                {
                    TakeInOthers();
                    return early;
                }

                continue;
            }

            if (!GoToSleep(_releasedCount == 0 ? AsleepIdle : AsleepInWait))
            {
                return null;
            }

            if (_releasedCount == 0)
            {
                ReapIdle();
                _idleSignal.Wait();
                WakeUp();
                return null;
            }

            int status = 0;
            HostResult waited = HostCalls.Wait4(-1, ref status, __WALL | __WNOTHREAD);
            _ = Interlocked.Exchange(ref _sleep, Awake);
            if (waited.IsError)
            {
                // ECHILD cannot be: the bell is ours. EINTR: the runtime suspended this thread.
                continue;
            }

            if (waited.Int == _bell)
            {
                _ = HostCalls.Ptrace(PTRACE_CONT, _bell, 0, 0);
                WakeUp();
                return null;
            }

            if (OnReport(waited.Int, status) is { } back)
            {
                TakeInOthers();
                return back;
            }
        }
    }

    /// <summary>Puts every other stub that has stopped in line, before the one that stopped first is let go again.</summary>
    /// <remarks>wait4(2) looks at the newest tracee first: without the line, threads that make calls all the time would keep older ones from ever being seen.</remarks>
    [NoAlloc]
    private void TakeInOthers()
    {
        int status = 0;
        while (_releasedCount > 0)
        {
            HostResult other = HostCalls.Wait4NoHang(-1, ref status, __WALL | __WNOTHREAD | WNOHANG);
            if (other.IsError || other.Value == 0)
            {
                return;
            }

            if (other.Int == _bell)
            {
                // The worker looks at its queue before it sleeps again.
                _ = HostCalls.Ptrace(PTRACE_CONT, _bell, 0, 0);
                WakeUp();
            }
            else if (OnReport(other.Int, status) is { } stopped)
            {
                _ready.Enqueue(stopped);
            }
        }
    }

    /// <summary>Announces sleep to <see cref="Kick"/>; false when a kick came first.</summary>
    private bool GoToSleep(int how)
    {
        _ = Interlocked.Exchange(ref _sleep, how);
        if (Volatile.Read(ref _kicked) == 0)
        {
            return true;
        }

        if (Interlocked.Exchange(ref _sleep, Awake) == Awake)
        {
            // The kicker saw the announcement and has already rung: take the ring in.
            if (how == AsleepIdle)
            {
                _idleSignal.Wait();
            }
        }

        WakeUp();
        return false;
    }

    private void WakeUp()
    {
        _ = Interlocked.Exchange(ref _sleep, Awake);
        Volatile.Write(ref _kicked, 0);
    }

    /// <summary>Takes in the ends of stubs while nothing runs, so that no zombie outlasts the quiet.</summary>
    private void ReapIdle()
    {
        int status = 0;
        while (HostCalls.Wait4NoHang(-1, ref status, __WALL | __WNOTHREAD | WNOHANG) is { IsError: false, Value: > 0 } reaped)
        {
            if (reaped.Int == _bell)
            {
                _ = HostCalls.Ptrace(PTRACE_CONT, _bell, 0, 0);
            }
            else if (OnReport(reaped.Int, status) is { } back)
            {
                _ready.Enqueue(back);
            }
        }
    }

    private PtraceContext? OnReport(int tid, int status) =>
        _contexts.TryGetValue(tid, out PtraceContext? context) ? OnStop(context, status) : null;

    /// <summary>Interprets one wait status.</summary>
    /// <returns>The context when the kernel is to handle it; null when the stop is dealt with.</returns>
    private PtraceContext? OnStop(PtraceContext context, int status)
    {
        bool wasReleased = context.IsReleased;
        if (wasReleased)
        {
            context.IsReleased = false;
            _releasedCount--;
        }

        if ((status & 0xff) != 0x7f)
        {
            context.IsDead = true;
            _ = _contexts.Remove(context.Tid);
            context.Exit = GuestExit.Lost;
            return wasReleased ? context : null;
        }

        if (!wasReleased)
        {
            // A held context that reports again was killed halfway or is an idle thread: nothing to run.
            return null;
        }

        int signal = (status >> 8) & 0xff;
        if (Tracee.GetRegisters(context.Tid, ref context.Registers).IsError)
        {
            context.IsReleased = true;
            _releasedCount++;
            return null; // Being killed; its end is reported next.
        }

        ref X64Registers registers = ref context.Registers;
        switch (signal)
        {
            case SIGTRAP | 0x80:
                // The syscall instruction leaves its return address in rcx; the other entries do not.
                context.Exit = registers.Rcx == registers.Rip && registers.Cs == X64Registers.UserCs ? GuestExit.Syscall : GuestExit.ForeignSyscall;
                return context;

            case SIGTRAP when status >> 16 != 0:
                context.Exit = GuestExit.Interrupted;
                return context;

            case SIGSYS:
                return OnVsyscall(context);

            case SIGSEGV or SIGBUS or SIGILL or SIGFPE or SIGTRAP:
                _ = Tracee.GetSignalInfo(context.Tid, out int code, out ulong address);
                context.Exit = GuestExit.Fault;
                context.Fault = new GuestFault(signal, code, address, IsWrite: false, HasAccess: false, IsExecute: signal == SIGSEGV && address == registers.Rip);
                return context;

            default:
                context.Exit = GuestExit.Interrupted;
                return context;
        }
    }

    /// <summary>The vsyscall page: the host refused it (the stub's filter), popped the return address and reported SIGSYS.</summary>
    private static PtraceContext OnVsyscall(PtraceContext context)
    {
        ref X64Registers registers = ref context.Registers;
        _ = Tracee.GetSignalInfo(context.Tid, out int code, out ulong address);
        if ((address & PageMask) == VsyscallPage)
        {
            registers.OrigRax = (address & 0xfff) switch { 0 => 96, 0x400 => 201, _ => 309 };
            context.Exit = GuestExit.Syscall;
            return context;
        }

        context.Exit = GuestExit.Fault;
        context.Fault = new GuestFault(SIGSYS, code, address, IsWrite: false, HasAccess: false, IsExecute: false);
        return context;
    }

    /// <inheritdoc/>
    public bool TryExport(GuestContext context)
    {
        PtraceContext stub = (PtraceContext)context;
        if (stub.StubSpace.Contexts.Count != 1 || stub.IsDead || stub.IsReleased)
        {
            return false;
        }

        X64Registers parked = StubRegisters(SYS_pause);
        if (Tracee.SetRegisters(stub.Tid, ref parked).IsError || HostCalls.Ptrace(PTRACE_DETACH, stub.Tid, 0, 0).IsError)
        {
            return false;
        }

        _ = _contexts.Remove(stub.Tid);
        stub.Home = null;
        return true;
    }

    /// <inheritdoc/>
    public void Import(GuestContext context)
    {
        PtraceContext stub = (PtraceContext)context;
        stub.Home = this;
        stub.StubSpace.Home = this;
        _contexts.Add(stub.Tid, stub);
        Span<byte> mask = stackalloc byte[128];
        mask.Clear();
        mask[_cpu / 8] = (byte)(1 << (_cpu % 8));
        _ = HostCalls.SchedSetaffinity(stub.Tid, mask);
        if (HostCalls.Ptrace(PTRACE_SEIZE, stub.Tid, 0, TraceOptions).IsError || HostCalls.Ptrace(PTRACE_INTERRUPT, stub.Tid, 0, 0).IsError)
        {
            stub.IsDead = true;
            return;
        }

        AwaitStop(stub.Tid);
    }
}
