// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Host.Filters;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>The one page of our own in every stub process: <c>syscall; int3</c>, and what the first stub's calls point at.</summary>
/// <remarks>
/// It is mapped in this process first, at the top of the user address space, so that a cloned stub is born with it. The guest can read and
/// run it and gains nothing: a <c>syscall</c> there is trapped like any other while guest code runs.
/// </remarks>
internal static unsafe class StubPage
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExec = 4, MapPrivate = 2, MapAnonymous = 0x20, MapFixedNoReplace = 0x100000;
    private const ulong TaskSize = 0x7ffffffff000;
    private const int IgnoreOffset = 16, FilterOffset = 64;

    /// <summary>Where the page lies: the first address that guest mappings may not use.</summary>
    internal static readonly ulong Address = Map();

    /// <summary>The end of the user address space (TASK_SIZE).</summary>
    internal const ulong EndOfUserSpace = TaskSize;

    /// <summary>Length in bytes.</summary>
    internal const ulong Length = 4096;

    /// <summary>struct sigaction (the kernel's: handler, flags, restorer, mask) that ignores a signal, as the stub sees it.</summary>
    internal static ulong IgnoreAction => Address + IgnoreOffset;

    /// <summary>struct sock_fprog of the stub's filter, as the stub sees it.</summary>
    internal static ulong FilterProgram => Address + FilterOffset;

    private static ulong Map()
    {
        // With address randomization off the stack ends at TASK_SIZE, hence the second and further tries.
        for (ulong candidate = TaskSize - Length; candidate > TaskSize - (1UL << 40); candidate -= 1UL << 32)
        {
            HostResult page = HostCalls.Mmap((nuint)candidate, (nuint)Length, ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapFixedNoReplace, -1, 0);
            if (page.IsError || (ulong)page.Value != candidate)
            {
                if (!page.IsError)
                {
                    _ = HostCalls.Munmap((nuint)page.Value, (nuint)Length);
                }

                continue;
            }

            // SAFETY: the page was just mapped, writable, one page long.
            Span<byte> bytes = new((void*)candidate, (int)Length);
            bytes[0] = 0x0f;
            bytes[1] = 0x05;
            bytes[2] = 0xcc;
            *(ulong*)(candidate + IgnoreOffset) = 1; // SIG_IGN; the rest stays zero
            ulong[] program = RoleFilters.Stub.Build(ownPid: 0, caller: candidate + 2); // seccomp sees the address behind the instruction
            ulong instructions = candidate + FilterOffset + 16;
            *(ulong*)(candidate + FilterOffset) = (ulong)program.Length;
            *(ulong*)(candidate + FilterOffset + 8) = instructions;
            program.CopyTo(new Span<ulong>((void*)instructions, program.Length));
            _ = HostCalls.Mprotect((nuint)candidate, (nuint)Length, ProtRead | ProtExec).OrThrow("protect the stub page");
            return candidate;
        }

        throw new InvalidOperationException("no room for the stub page at the top of the address space");
    }
}
