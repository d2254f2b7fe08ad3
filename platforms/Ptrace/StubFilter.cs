// SPDX-License-Identifier: Apache-2.0
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>
/// The seccomp program of a stub: only the few calls that the tracer injects, and only from the stub page, exist.
/// </summary>
/// <remarks>
/// While guest code runs, PTRACE_SYSEMU takes every entry before seccomp sees it, save one: the vsyscall page, which the host's kernel
/// serves by itself. The filter turns that into SIGSYS, which the executor reports as a system call.
/// </remarks>
internal static class StubFilter
{
    private const uint RetAllow = 0x7fff0000, RetTrap = 0x00030000, RetKillProcess = 0x80000000, ArchX64 = 0xc000003e;
    private const int OffsetNumber = 0, OffsetArch = 4, OffsetIpLow = 8, OffsetIpHigh = 12;

    /// <summary>Builds the program.</summary>
    /// <param name="returnAddress">The address behind the stub page's <c>syscall</c>, which is what seccomp reports.</param>
    internal static ulong[] Build(ulong returnAddress)
    {
        ReadOnlySpan<int> allowed = [SYS_mmap, SYS_munmap, SYS_mprotect, SYS_clone, SYS_exit, SYS_prctl, SYS_seccomp, SYS_sched_setaffinity, SYS_pause];
        ulong[] program = new ulong[9 + allowed.Length + 1];
        int n = 0;
        program[n++] = Load(OffsetIpLow);
        program[n++] = JumpIfNot(unchecked((uint)returnAddress), skip: 2);
        program[n++] = Load(OffsetIpHigh);
        program[n++] = JumpIf((uint)(returnAddress >> 32), skip: 1);
        program[n++] = Return(RetTrap);
        program[n++] = Load(OffsetArch);
        program[n++] = JumpIfNot(ArchX64, skip: allowed.Length + 1);
        program[n++] = Load(OffsetNumber);
        for (int i = 0; i < allowed.Length; i++)
        {
            program[n++] = JumpIf((uint)allowed[i], skip: allowed.Length - i);
        }

        program[n++] = Return(RetKillProcess);
        program[n++] = Return(RetAllow);
        return program;
    }

    // struct sock_filter: code:16 jt:8 jf:8 k:32.
    private static ulong Load(int offset) => 0x20UL | ((ulong)(uint)offset << 32);

    private static ulong JumpIf(uint value, int skip) => 0x15UL | ((ulong)(byte)skip << 16) | ((ulong)value << 32);

    private static ulong JumpIfNot(uint value, int skip) => 0x15UL | ((ulong)(byte)skip << 24) | ((ulong)value << 32);

    private static ulong Return(uint action) => 0x06UL | ((ulong)action << 32);
}
