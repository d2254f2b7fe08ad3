// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysDup = 32;

    /// <summary>Duplicates a descriptor.</summary>
    [HostCall("dup")]
    public static HostResult Dup(int fd) => Fast(SysDup, fd);
}
