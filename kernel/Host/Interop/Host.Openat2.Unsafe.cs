// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysOpenat2 = 437;

    /// <summary>Opens a file under resolution rules (RESOLVE_*); the value is the descriptor. Paths and names are NUL-terminated.</summary>
    [HostCall("openat2")]
    public static HostResult Openat2(int dirfd, ReadOnlySpan<byte> path, ref OpenHow how)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (OpenHow* howPtr = &how)
        {
            return Blocking(SysOpenat2, dirfd, (long)pathPtr, (long)howPtr, sizeof(OpenHow));
        }
    }
}
