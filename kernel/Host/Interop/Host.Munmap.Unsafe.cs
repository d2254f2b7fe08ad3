// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMunmap = 11;

    /// <summary>Unmaps memory.</summary>
    [HostCall("munmap")]
    public static HostResult Munmap(nuint address, nuint length) => Fast(SysMunmap, unchecked((long)address), unchecked((long)length));
}
