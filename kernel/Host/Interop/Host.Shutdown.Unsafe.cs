// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysShutdown = 48;

    /// <summary>Shuts down part of a connection.</summary>
    [HostCall("shutdown")]
    public static HostResult Shutdown(int fd, int how) => Fast(SysShutdown, fd, how);
}
