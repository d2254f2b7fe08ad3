// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFaccessat2 = 439;

    /// <summary>Checks access to a path. Paths and names are NUL-terminated.</summary>
    [HostCall("faccessat2")]
    public static HostResult Faccessat2(int dirfd, ReadOnlySpan<byte> path, int mode, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysFaccessat2, dirfd, (long)pathPtr, mode, flags);
        }
    }
}
