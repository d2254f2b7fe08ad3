// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFlock = 73;

    /// <summary>Locks a file.</summary>
    [HostCall("flock")]
    public static HostResult Flock(int fd, int operation) => Blocking(SysFlock, fd, operation);
}
