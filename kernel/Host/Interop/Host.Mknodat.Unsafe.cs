// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMknodat = 259;

    /// <summary>Makes a special file. Paths and names are NUL-terminated.</summary>
    [HostCall("mknodat")]
    public static HostResult Mknodat(int dirfd, ReadOnlySpan<byte> path, uint mode, uint device)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysMknodat, dirfd, (long)pathPtr, mode, device);
        }
    }
}
