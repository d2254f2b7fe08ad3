// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMembarrier = 324;

    /// <summary>Issues a memory barrier on other threads.</summary>
    [HostCall("membarrier")]
    public static HostResult Membarrier(int command, uint flags, int cpu) => Blocking(SysMembarrier, command, flags, cpu);
}
