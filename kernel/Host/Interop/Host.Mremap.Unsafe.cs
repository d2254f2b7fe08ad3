// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMremap = 25;

    /// <summary>Moves or resizes a mapping.</summary>
    [HostCall("mremap")]
    public static HostResult Mremap(nuint address, nuint oldLength, nuint newLength, int flags, nuint newAddress) => Fast(SysMremap, unchecked((long)address), unchecked((long)oldLength), unchecked((long)newLength), flags, unchecked((long)newAddress));
}
