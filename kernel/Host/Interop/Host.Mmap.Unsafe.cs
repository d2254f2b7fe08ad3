// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMmap = 9;

    /// <summary>Maps memory; the value is the address.</summary>
    [HostCall("mmap")]
    public static HostResult Mmap(nuint address, nuint length, int protection, int flags, int fd, long offset) => Fast(SysMmap, unchecked((long)address), unchecked((long)length), protection, flags, fd, offset);
}
