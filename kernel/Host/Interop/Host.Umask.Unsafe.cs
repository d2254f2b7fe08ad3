// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUmask = 95;

    /// <summary>Sets the file mode mask.</summary>
    [HostCall("umask")]
    public static HostResult Umask(uint mask) => Fast(SysUmask, mask);
}
