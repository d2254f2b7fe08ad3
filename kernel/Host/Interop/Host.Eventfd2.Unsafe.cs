// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysEventfd2 = 290;

    /// <summary>Makes an event descriptor.</summary>
    [HostCall("eventfd2")]
    public static HostResult Eventfd2(uint initial, int flags) => Fast(SysEventfd2, initial, flags);
}
