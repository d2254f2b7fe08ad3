// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGeteuid = 107;

    /// <summary>The effective user.</summary>
    [HostCall("geteuid")]
    public static HostResult Geteuid() => Fast(SysGeteuid);
}
