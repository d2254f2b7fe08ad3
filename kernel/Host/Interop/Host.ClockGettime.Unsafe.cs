// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysClockGettime = 228;

    /// <summary>Reads a clock.</summary>
    [HostCall("clock_gettime")]
    public static HostResult ClockGettime(int clock, ref HostTimespec time)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostTimespec* timePtr = &time)
        {
            return Fast(SysClockGettime, clock, (long)timePtr);
        }
    }
}
