// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysLinkat = 265;

    /// <summary>Makes a hard link. Paths and names are NUL-terminated.</summary>
    [HostCall("linkat")]
    public static HostResult Linkat(int oldDirfd, ReadOnlySpan<byte> oldPath, int newDirfd, ReadOnlySpan<byte> newPath, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* oldPathPtr = oldPath)
        fixed (byte* newPathPtr = newPath)
        {
            return Blocking(SysLinkat, oldDirfd, (long)oldPathPtr, newDirfd, (long)newPathPtr, flags);
        }
    }
}
