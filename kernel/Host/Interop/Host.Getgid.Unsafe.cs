// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetgid = 104;

    /// <summary>The real group.</summary>
    [HostCall("getgid")]
    public static HostResult Getgid() => Fast(SysGetgid);
}
