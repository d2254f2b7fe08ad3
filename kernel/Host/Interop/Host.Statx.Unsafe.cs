// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysStatx = 332;

    /// <summary>Reads extended attributes of a path (statx(2)). Paths and names are NUL-terminated.</summary>
    [HostCall("statx")]
    public static HostResult Statx(int dirfd, ReadOnlySpan<byte> path, int flags, uint mask, ref HostStatx stat)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (HostStatx* statPtr = &stat)
        {
            return Blocking(SysStatx, dirfd, (long)pathPtr, flags, mask, (long)statPtr);
        }
    }
}
