// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGettid = 186;

    /// <summary>The thread's TID.</summary>
    [HostCall("gettid")]
    public static HostResult Gettid() => Fast(SysGettid);
}
