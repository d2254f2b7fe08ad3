// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysEpollCreate1 = 291;

    /// <summary>Makes an epoll instance.</summary>
    [HostCall("epoll_create1")]
    public static HostResult EpollCreate1(int flags) => Fast(SysEpollCreate1, flags);
}
