// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFchmod = 91;

    /// <summary>Sets a file's mode.</summary>
    [HostCall("fchmod")]
    public static HostResult Fchmod(int fd, uint mode) => Blocking(SysFchmod, fd, mode);
}
