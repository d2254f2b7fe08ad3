// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetgroups = 116;

    /// <summary>Sets the thread's supplementary groups.</summary>
    [HostCall("setgroups")]
    public static HostResult Setgroups(int count, nuint list) => Fast(SysSetgroups, count, unchecked((long)list));
}
