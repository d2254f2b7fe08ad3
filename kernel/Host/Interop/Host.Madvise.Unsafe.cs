// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMadvise = 28;

    /// <summary>Advises about memory.</summary>
    [HostCall("madvise")]
    public static HostResult Madvise(nuint address, nuint length, int advice) => Fast(SysMadvise, unchecked((long)address), unchecked((long)length), advice);
}
