// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetppid = 110;

    /// <summary>The parent's PID.</summary>
    [HostCall("getppid")]
    public static HostResult Getppid() => Fast(SysGetppid);
}
