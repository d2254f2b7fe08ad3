// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUtimensat = 280;

    /// <summary>Sets a file's times. Paths and names are NUL-terminated.</summary>
    [HostCall("utimensat")]
    public static HostResult Utimensat(int dirfd, ReadOnlySpan<byte> path, ref HostTimespecPair times, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (HostTimespecPair* timesPtr = &times)
        {
            return Blocking(SysUtimensat, dirfd, (long)pathPtr, (long)timesPtr, flags);
        }
    }
}
