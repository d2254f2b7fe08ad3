// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSchedSetaffinity = 203;

    /// <summary>Sets the CPUs a thread may run on.</summary>
    [HostCall("sched_setaffinity")]
    public static HostResult SchedSetaffinity(int pid, ReadOnlySpan<byte> mask)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* maskPtr = mask)
        {
            return Fast(SysSchedSetaffinity, pid, mask.Length, (long)maskPtr);
        }
    }
}
