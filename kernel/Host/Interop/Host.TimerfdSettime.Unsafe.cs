// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysTimerfdSettime = 286;

    /// <summary>Arms a timer descriptor.</summary>
    [HostCall("timerfd_settime")]
    public static HostResult TimerfdSettime(int fd, int flags, ref HostItimerspec value)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostItimerspec* valuePtr = &value)
        {
            return Fast(SysTimerfdSettime, fd, flags, (long)valuePtr);
        }
    }
}
