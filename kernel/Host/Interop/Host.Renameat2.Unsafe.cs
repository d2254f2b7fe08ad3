// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRenameat2 = 316;

    /// <summary>Renames a file. Paths and names are NUL-terminated.</summary>
    [HostCall("renameat2")]
    public static HostResult Renameat2(int oldDirfd, ReadOnlySpan<byte> oldPath, int newDirfd, ReadOnlySpan<byte> newPath, uint flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* oldPathPtr = oldPath)
        fixed (byte* newPathPtr = newPath)
        {
            return Blocking(SysRenameat2, oldDirfd, (long)oldPathPtr, newDirfd, (long)newPathPtr, flags);
        }
    }
}
