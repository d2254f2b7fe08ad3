// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFtruncate = 77;

    /// <summary>Sets a file's size in bytes.</summary>
    [HostCall("ftruncate")]
    public static HostResult Ftruncate(int fd, long length) => Blocking(SysFtruncate, fd, length);
}
