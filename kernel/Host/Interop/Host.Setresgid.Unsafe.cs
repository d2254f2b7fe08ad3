// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetresgid = 119;

    /// <summary>Sets the thread's groups.</summary>
    [HostCall("setresgid")]
    public static HostResult Setresgid(uint real, uint effective, uint saved) => Fast(SysSetresgid, real, effective, saved);
}
