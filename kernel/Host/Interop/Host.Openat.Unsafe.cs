// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysOpenat = 257;

    /// <summary>Opens a file; the value is the descriptor. Paths and names are NUL-terminated.</summary>
    [HostCall("openat")]
    public static HostResult Openat(int dirfd, ReadOnlySpan<byte> path, int flags, uint mode)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysOpenat, dirfd, (long)pathPtr, flags, mode);
        }
    }
}
