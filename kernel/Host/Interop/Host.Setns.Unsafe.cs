// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetns = 308;

    /// <summary>Joins a namespace.</summary>
    [HostCall("setns")]
    public static HostResult Setns(int fd, int type) => Blocking(SysSetns, fd, type);
}
