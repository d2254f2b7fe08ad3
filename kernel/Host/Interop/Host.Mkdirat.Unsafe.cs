// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMkdirat = 258;

    /// <summary>Makes a directory. Paths and names are NUL-terminated.</summary>
    [HostCall("mkdirat")]
    public static HostResult Mkdirat(int dirfd, ReadOnlySpan<byte> path, uint mode)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysMkdirat, dirfd, (long)pathPtr, mode);
        }
    }
}
