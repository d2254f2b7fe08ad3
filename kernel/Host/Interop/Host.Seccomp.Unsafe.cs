// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSeccomp = 317;

    /// <summary>Installs a seccomp filter.</summary>
    [HostCall("seccomp")]
    public static HostResult Seccomp(uint operation, uint flags, nuint argument) => Fast(SysSeccomp, operation, flags, unchecked((long)argument));
}
