// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFstatfs = 138;

    /// <summary>Reads a file system's figures.</summary>
    [HostCall("fstatfs")]
    public static HostResult Fstatfs(int fd, ref HostStatfs stat)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostStatfs* statPtr = &stat)
        {
            return Blocking(SysFstatfs, fd, (long)statPtr);
        }
    }
}
