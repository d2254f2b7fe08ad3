// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSchedGetaffinity = 204;

    /// <summary>Reads the CPUs a thread may run on; the value is the bytes stored.</summary>
    [HostCall("sched_getaffinity")]
    public static HostResult SchedGetaffinity(int pid, Span<byte> mask)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* maskPtr = mask)
        {
            return Fast(SysSchedGetaffinity, pid, mask.Length, (long)maskPtr);
        }
    }
}
