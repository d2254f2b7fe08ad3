// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysTimerfdCreate = 283;

    /// <summary>Makes a timer descriptor.</summary>
    [HostCall("timerfd_create")]
    public static HostResult TimerfdCreate(int clock, int flags) => Fast(SysTimerfdCreate, clock, flags);
}
