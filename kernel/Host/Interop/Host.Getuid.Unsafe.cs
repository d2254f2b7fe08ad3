// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetuid = 102;

    /// <summary>The real user.</summary>
    [HostCall("getuid")]
    public static HostResult Getuid() => Fast(SysGetuid);
}
