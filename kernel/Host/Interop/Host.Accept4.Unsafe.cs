// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysAccept4 = 288;

    /// <summary>Accepts a connection; the value is its descriptor.</summary>
    [HostCall("accept4")]
    public static HostResult Accept4(int fd, int flags) => Blocking(SysAccept4, fd, 0, 0, flags);
}
