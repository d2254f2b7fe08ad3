// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysChroot = 161;

    /// <summary>Changes the root directory. Paths and names are NUL-terminated.</summary>
    [HostCall("chroot")]
    public static HostResult Chroot(ReadOnlySpan<byte> path)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysChroot, (long)pathPtr);
        }
    }
}
