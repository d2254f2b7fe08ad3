// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSchedYield = 24;

    /// <summary>Lets other threads run.</summary>
    [HostCall("sched_yield")]
    public static HostResult SchedYield() => Blocking(SysSchedYield);
}
