// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysListen = 50;

    /// <summary>Lets a socket accept connections.</summary>
    [HostCall("listen")]
    public static HostResult Listen(int fd, int backlog) => Fast(SysListen, fd, backlog);
}
