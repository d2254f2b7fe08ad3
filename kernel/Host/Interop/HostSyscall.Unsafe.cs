// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>
/// The host's system calls, one function a file, C-spelled constants, no logic. Each carries <c>[HostCall]</c> with the
/// name that the role filters in <c>syscalls.yaml</c> allow.
/// </summary>
public static unsafe partial class HostCalls
{
    /// <summary>Makes a host call that may block; a garbage collection can go on meanwhile.</summary>
    private static HostResult Blocking(long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0) =>
        // SAFETY: the page's code follows the system call convention; what the arguments point to is the caller's duty.
        new(HostCode.Syscall(number, a0, a1, a2, a3, a4, a5));

    /// <summary>Makes a host call that returns at once.</summary>
    private static HostResult Fast(long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0) =>
        // SAFETY: as above, and the call returns at once, so that no collection waits for it.
        new(HostCode.SyscallFast(number, a0, a1, a2, a3, a4, a5));
}
