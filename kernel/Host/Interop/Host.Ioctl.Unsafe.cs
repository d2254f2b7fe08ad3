// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysIoctl = 16;

    /// <summary>Acts on a device.</summary>
    [HostCall("ioctl")]
    public static HostResult Ioctl(int fd, uint request, nuint argument) => Blocking(SysIoctl, fd, request, unchecked((long)argument));
}
