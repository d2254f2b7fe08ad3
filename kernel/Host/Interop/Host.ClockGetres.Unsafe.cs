// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysClockGetres = 229;

    /// <summary>Reads a clock's resolution.</summary>
    [HostCall("clock_getres")]
    public static HostResult ClockGetres(int clock, ref HostTimespec time)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostTimespec* timePtr = &time)
        {
            return Fast(SysClockGetres, clock, (long)timePtr);
        }
    }
}
