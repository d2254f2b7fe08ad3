// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFchmodat = 268;

    /// <summary>Sets a path's mode. Paths and names are NUL-terminated.</summary>
    [HostCall("fchmodat")]
    public static HostResult Fchmodat(int dirfd, ReadOnlySpan<byte> path, uint mode)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysFchmodat, dirfd, (long)pathPtr, mode);
        }
    }
}
