// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetpid = 39;

    /// <summary>The process's PID.</summary>
    [HostCall("getpid")]
    public static HostResult Getpid() => Fast(SysGetpid);
}
