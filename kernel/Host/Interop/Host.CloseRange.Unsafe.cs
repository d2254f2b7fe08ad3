// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysCloseRange = 436;

    /// <summary>Closes a range of descriptors.</summary>
    [HostCall("close_range")]
    public static HostResult CloseRange(uint first, uint last, uint flags) => Fast(SysCloseRange, first, last, flags);
}
