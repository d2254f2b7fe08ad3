// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFchdir = 81;

    /// <summary>Changes the working directory to a descriptor's.</summary>
    [HostCall("fchdir")]
    public static HostResult Fchdir(int fd) => Fast(SysFchdir, fd);
}
