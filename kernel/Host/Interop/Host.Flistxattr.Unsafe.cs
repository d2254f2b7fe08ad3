// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFlistxattr = 196;

    /// <summary>Lists extended attributes.</summary>
    [HostCall("flistxattr")]
    public static HostResult Flistxattr(int fd, Span<byte> list)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* listPtr = list)
        {
            return Blocking(SysFlistxattr, fd, (long)listPtr, list.Length);
        }
    }
}
