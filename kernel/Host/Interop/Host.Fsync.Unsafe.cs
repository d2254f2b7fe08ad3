// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFsync = 74;

    /// <summary>Writes a file to its device.</summary>
    [HostCall("fsync")]
    public static HostResult Fsync(int fd) => Blocking(SysFsync, fd);
}
