// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMprotect = 10;

    /// <summary>Changes the protection of mapped memory.</summary>
    [HostCall("mprotect")]
    public static HostResult Mprotect(nuint address, nuint length, int protection) => Fast(SysMprotect, unchecked((long)address), unchecked((long)length), protection);
}
