// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFchown = 93;

    /// <summary>Sets a file's owner.</summary>
    [HostCall("fchown")]
    public static HostResult Fchown(int fd, uint uid, uint gid) => Blocking(SysFchown, fd, uid, gid);
}
