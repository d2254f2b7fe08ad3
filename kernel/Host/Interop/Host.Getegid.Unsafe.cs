// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetegid = 108;

    /// <summary>The effective group.</summary>
    [HostCall("getegid")]
    public static HostResult Getegid() => Fast(SysGetegid);
}
