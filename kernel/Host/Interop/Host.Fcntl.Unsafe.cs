// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFcntl = 72;

    /// <summary>Acts on a descriptor (fcntl(2)).</summary>
    [HostCall("fcntl")]
    public static HostResult Fcntl(int fd, int command, long argument) => Fast(SysFcntl, fd, command, argument);
}
