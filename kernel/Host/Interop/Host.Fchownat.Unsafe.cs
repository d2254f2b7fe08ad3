// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFchownat = 260;

    /// <summary>Sets a path's owner. Paths and names are NUL-terminated.</summary>
    [HostCall("fchownat")]
    public static HostResult Fchownat(int dirfd, ReadOnlySpan<byte> path, uint uid, uint gid, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysFchownat, dirfd, (long)pathPtr, uid, gid, flags);
        }
    }
}
