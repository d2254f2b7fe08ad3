// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetsid = 112;

    /// <summary>Starts a session.</summary>
    [HostCall("setsid")]
    public static HostResult Setsid() => Fast(SysSetsid);
}
