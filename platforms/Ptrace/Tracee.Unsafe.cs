// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>ptrace(2) requests that pass memory.</summary>
internal static unsafe class Tracee
{
    [NoAlloc]
    internal static HostResult GetRegisters(int tid, ref X64Registers registers)
    {
        // SAFETY: pinned for the call; the kernel stores exactly one user_regs_struct.
        fixed (X64Registers* p = &registers)
        {
            return HostCalls.Ptrace(PTRACE_GETREGS, tid, 0, (nuint)p);
        }
    }

    [NoAlloc]
    internal static HostResult SetRegisters(int tid, ref X64Registers registers)
    {
        // SAFETY: pinned for the call; the kernel reads exactly one user_regs_struct.
        fixed (X64Registers* p = &registers)
        {
            return HostCalls.Ptrace(PTRACE_SETREGS, tid, 0, (nuint)p);
        }
    }

    /// <summary>Reads a signal stop's siginfo: si_code and si_addr (or si_syscall for SIGSYS, with si_call_addr as the address).</summary>
    internal static HostResult GetSignalInfo(int tid, out int code, out ulong address)
    {
        byte* info = stackalloc byte[128];
        HostResult result = HostCalls.Ptrace(PTRACE_GETSIGINFO, tid, 0, (nuint)info);

        // SAFETY: struct siginfo is 128 bytes; si_code lies at 8, si_addr at 16.
        code = *(int*)(info + 8);
        address = *(ulong*)(info + 16);
        return result;
    }

    internal static HostResult GetEventMessage(int tid, out ulong message)
    {
        ulong value = 0;

        // SAFETY: the kernel stores one unsigned long.
        HostResult result = HostCalls.Ptrace(PTRACE_GETEVENTMSG, tid, 0, (nuint)(&value));
        message = value;
        return result;
    }

    /// <summary>Reads where the thread registered rseq(2): struct ptrace_rseq_configuration.</summary>
    internal static HostResult GetRseq(int tid, out ulong address, out uint size, out uint signature)
    {
        ulong* configuration = stackalloc ulong[3];

        // SAFETY: the struct is 24 bytes; the kernel stores no more than it is told.
        HostResult result = HostCalls.Ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, 24, (nuint)configuration);
        address = configuration[0];
        size = unchecked((uint)configuration[1]);
        signature = (uint)(configuration[1] >> 32);
        return result;
    }

    /// <summary>Reads the XSAVE area; the value is its length in bytes.</summary>
    internal static HostResult GetExtendedState(int tid, Span<byte> area)
    {
        // SAFETY: pinned for the call; the iovec bounds what the kernel stores.
        fixed (byte* p = area)
        {
            HostIoVec iov = new((nuint)p, (nuint)area.Length);
            HostResult result = HostCalls.Ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, (nuint)(&iov));
            return result.IsError ? result : new HostResult((long)iov.Length);
        }
    }

    internal static HostResult SetExtendedState(int tid, ReadOnlySpan<byte> area)
    {
        // SAFETY: pinned for the call; the iovec bounds what the kernel reads.
        fixed (byte* p = area)
        {
            HostIoVec iov = new((nuint)p, (nuint)area.Length);
            return HostCalls.Ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, (nuint)(&iov));
        }
    }
}
