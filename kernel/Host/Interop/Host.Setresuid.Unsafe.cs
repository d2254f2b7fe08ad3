// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetresuid = 117;

    /// <summary>Sets the thread's users.</summary>
    [HostCall("setresuid")]
    public static HostResult Setresuid(uint real, uint effective, uint saved) => Fast(SysSetresuid, real, effective, saved);
}
