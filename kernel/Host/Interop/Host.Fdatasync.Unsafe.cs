// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFdatasync = 75;

    /// <summary>Writes a file's data to its device.</summary>
    [HostCall("fdatasync")]
    public static HostResult Fdatasync(int fd) => Blocking(SysFdatasync, fd);
}
