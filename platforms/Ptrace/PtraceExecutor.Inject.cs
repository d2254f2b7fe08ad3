// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>System calls that a stopped stub thread is made to run from the stub page.</summary>
internal sealed partial class PtraceExecutor
{

    /// <summary>Runs a host call in a held context's thread. Its guest registers are in <see cref="GuestContext.Registers"/> and stay as they are.</summary>
    /// <returns>The kernel's raw answer.</returns>
    internal long Inject(PtraceContext via, long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0)
    {
        if (via.IsDead)
        {
            return -(long)HostErrno.ESRCH;
        }

        return InjectRaw(via.Tid, number, a0, a1, a2, a3, a4, a5);
    }

    /// <summary>mprotect(2) stops at the first hole; the kernel's callers mean the mapped parts, so go on behind it.</summary>
    internal void ProtectMapped(PtraceContext via, ulong address, ulong length, MemoryAccess access) =>
        _ = Inject(via, SYS_mprotect, unchecked((long)address), unchecked((long)length), (long)access);

    /// <summary>Unmaps a range although no context of the space is held: stops one for a moment when need be.</summary>
    internal void UnmapNow(PtraceAddressSpace space, ulong address, ulong length)
    {
        PtraceContext? via = null;
        foreach (PtraceContext context in space.Contexts)
        {
            if (!context.IsDead && (via is null || !context.IsReleased))
            {
                via = context;
            }
        }

        if (via is null)
        {
            return;
        }

        if (via.IsReleased)
        {
            if (HostCalls.Ptrace(PTRACE_INTERRUPT, via.Tid, 0, 0).IsError)
            {
                return;
            }

            int status = 0;
            if (HostCalls.Wait4(via.Tid, ref status, __WALL).IsError)
            {
                return;
            }

            if (OnStop(via, status) is { } back)
            {
                _ready.Enqueue(back);
            }
            else if (!via.IsDead)
            {
                // It was resumed at once (a stop that concerns nobody): stop it for good.
                via.Exit = GuestExit.Interrupted;
                UnmapNow(space, address, length);
                return;
            }
        }

        if (!via.IsDead)
        {
            _ = InjectRaw(via.Tid, SYS_munmap, unchecked((long)address), unchecked((long)length), 0, 0, 0, 0);
        }
    }

    private static X64Registers StubRegisters(long number) => new()
    {
        Rip = StubPage.Address,
        Rax = unchecked((ulong)number),
        OrigRax = ulong.MaxValue,
        Cs = X64Registers.UserCs,
        Ss = X64Registers.UserSs,
        Eflags = X64Registers.FixedEflags,
    };

    private static long InjectRaw(int tid, long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0)
    {
        X64Registers registers = StubRegisters(number);
        unchecked
        {
            registers.Rdi = (ulong)a0;
            registers.Rsi = (ulong)a1;
            registers.Rdx = (ulong)a2;
            registers.R10 = (ulong)a3;
            registers.R8 = (ulong)a4;
            registers.R9 = (ulong)a5;
        }

        HostResult set = Tracee.SetRegisters(tid, ref registers);
        if (set.IsError)
        {
            return set.Raw;
        }

        HostResult run = HostCalls.Ptrace(PTRACE_CONT, tid, 0, 0);
        if (run.IsError)
        {
            return run.Raw;
        }

        return AwaitTrap(tid, ref registers, out _);
    }

    /// <summary>Waits for the <c>int3</c> behind an injected call.</summary>
    /// <param name="tid">The stub thread.</param>
    /// <param name="registers">Receives the registers after the call.</param>
    /// <param name="child">The thread or process that the call made, or 0.</param>
    private static long AwaitTrap(int tid, ref X64Registers registers, out int child)
    {
        child = 0;
        while (true)
        {
            int status = 0;
            HostResult waited = HostCalls.Wait4(tid, ref status, __WALL);
            if (waited.IsError)
            {
                return waited.Raw;
            }

            if ((status & 0xff) != 0x7f)
            {
                // Killed meanwhile; the main loop can no longer see this report, so the caller learns it here.
                return -(long)HostErrno.ESRCH;
            }

            int signal = (status >> 8) & 0xff;
            int ev = status >> 16;
            if (signal == SIGTRAP && ev == 0)
            {
                HostResult got = Tracee.GetRegisters(tid, ref registers);
                return got.IsError ? got.Raw : unchecked((long)registers.Rax);
            }

            if (ev is PTRACE_EVENT_CLONE or PTRACE_EVENT_FORK && !Tracee.GetEventMessage(tid, out ulong message).IsError)
            {
                child = (int)message;
            }

            // Anything else is an interruption meant for guest code: the kernel looks at its flags before it releases the context again.
            HostResult resumed = HostCalls.Ptrace(PTRACE_CONT, tid, 0, 0);
            if (resumed.IsError)
            {
                return resumed.Raw;
            }
        }
    }

    /// <summary>Clones a stopped stub thread, and leaves the new thread or process stopped.</summary>
    /// <returns>Its id, or -1.</returns>
    private static int CloneStub(int from, long flags, out HostErrno error)
    {
        X64Registers registers = StubRegisters(SYS_clone);
        registers.Rdi = unchecked((ulong)flags);
        HostResult ready = Tracee.SetRegisters(from, ref registers);
        if (!ready.IsError)
        {
            ready = HostCalls.Ptrace(PTRACE_CONT, from, 0, 0);
        }

        if (ready.IsError)
        {
            error = ready.Error;
            return -1;
        }

        HostResult cloned = new(AwaitTrap(from, ref registers, out int child));
        error = cloned.Error;
        if (cloned.IsError || child == 0)
        {
            return -1;
        }

        AwaitStop(child);
        return child;
    }

    private static void AwaitStop(int tid)
    {
        int status = 0;
        _ = HostCalls.Wait4(tid, ref status, __WALL);
    }
}
