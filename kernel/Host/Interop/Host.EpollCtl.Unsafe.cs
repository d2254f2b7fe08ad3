// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysEpollCtl = 233;

    /// <summary>Changes an epoll interest list.</summary>
    [HostCall("epoll_ctl")]
    public static HostResult EpollCtl(int epfd, int op, int fd, ref HostEpollEvent ev)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostEpollEvent* evPtr = &ev)
        {
            return Fast(SysEpollCtl, epfd, op, fd, (long)evPtr);
        }
    }
}
