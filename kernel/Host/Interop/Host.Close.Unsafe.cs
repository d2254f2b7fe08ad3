// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysClose = 3;

    /// <summary>Closes a descriptor.</summary>
    [HostCall("close")]
    public static HostResult Close(int fd) => Fast(SysClose, fd);
}
