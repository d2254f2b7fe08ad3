// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFsetxattr = 190;

    /// <summary>Sets an extended attribute. Paths and names are NUL-terminated.</summary>
    [HostCall("fsetxattr")]
    public static HostResult Fsetxattr(int fd, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* namePtr = name)
        fixed (byte* valuePtr = value)
        {
            return Blocking(SysFsetxattr, fd, (long)namePtr, (long)valuePtr, value.Length, flags);
        }
    }
}
