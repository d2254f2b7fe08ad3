// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysNewfstatat = 262;

    /// <summary>Reads a path's attributes. Paths and names are NUL-terminated.</summary>
    [HostCall("newfstatat")]
    public static HostResult Newfstatat(int dirfd, ReadOnlySpan<byte> path, ref HostStat stat, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (HostStat* statPtr = &stat)
        {
            return Blocking(SysNewfstatat, dirfd, (long)pathPtr, (long)statPtr, flags);
        }
    }
}
