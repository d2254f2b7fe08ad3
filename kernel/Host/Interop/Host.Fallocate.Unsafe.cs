// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFallocate = 285;

    /// <summary>Allocates or punches a range of a file.</summary>
    [HostCall("fallocate")]
    public static HostResult Fallocate(int fd, int mode, long offset, long length) => Blocking(SysFallocate, fd, mode, offset, length);
}
