// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysEpollPwait = 281;

    /// <summary>Waits for epoll events; the value is how many were stored.</summary>
    [HostCall("epoll_pwait")]
    public static HostResult EpollPwait(int epfd, Span<HostEpollEvent> events, int timeoutMs)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostEpollEvent* eventsPtr = events)
        {
            return Blocking(SysEpollPwait, epfd, (long)eventsPtr, events.Length, timeoutMs);
        }
    }
}
