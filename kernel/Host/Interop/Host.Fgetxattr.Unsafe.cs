// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFgetxattr = 193;

    /// <summary>Reads an extended attribute. Paths and names are NUL-terminated.</summary>
    [HostCall("fgetxattr")]
    public static HostResult Fgetxattr(int fd, ReadOnlySpan<byte> name, Span<byte> value)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* namePtr = name)
        fixed (byte* valuePtr = value)
        {
            return Blocking(SysFgetxattr, fd, (long)namePtr, (long)valuePtr, value.Length);
        }
    }
}
