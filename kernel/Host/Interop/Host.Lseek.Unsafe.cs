// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysLseek = 8;

    /// <summary>Moves a descriptor's offset.</summary>
    [HostCall("lseek")]
    public static HostResult Lseek(int fd, long offset, int whence) => Fast(SysLseek, fd, offset, whence);
}
