// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSymlinkat = 266;

    /// <summary>Makes a symbolic link. Paths and names are NUL-terminated.</summary>
    [HostCall("symlinkat")]
    public static HostResult Symlinkat(ReadOnlySpan<byte> target, int dirfd, ReadOnlySpan<byte> path)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* targetPtr = target)
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysSymlinkat, (long)targetPtr, dirfd, (long)pathPtr);
        }
    }
}
