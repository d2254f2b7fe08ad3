// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPrctl = 157;

    /// <summary>Acts on the process (prctl(2)).</summary>
    [HostCall("prctl")]
    public static HostResult Prctl(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5) => Fast(SysPrctl, option, unchecked((long)arg2), unchecked((long)arg3), unchecked((long)arg4), unchecked((long)arg5));
}
