// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUnlinkat = 263;

    /// <summary>Removes a name. Paths and names are NUL-terminated.</summary>
    [HostCall("unlinkat")]
    public static HostResult Unlinkat(int dirfd, ReadOnlySpan<byte> path, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysUnlinkat, dirfd, (long)pathPtr, flags);
        }
    }
}
