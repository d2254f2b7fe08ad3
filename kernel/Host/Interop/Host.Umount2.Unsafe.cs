// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUmount2 = 166;

    /// <summary>Unmounts a file system. Paths and names are NUL-terminated.</summary>
    [HostCall("umount2")]
    public static HostResult Umount2(ReadOnlySpan<byte> target, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* targetPtr = target)
        {
            return Blocking(SysUmount2, (long)targetPtr, flags);
        }
    }
}
