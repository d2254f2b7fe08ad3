// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetsockopt = 54;

    /// <summary>Sets a socket option.</summary>
    [HostCall("setsockopt")]
    public static HostResult Setsockopt(int fd, int level, int option, ReadOnlySpan<byte> value)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* valuePtr = value)
        {
            return Fast(SysSetsockopt, fd, level, option, (long)valuePtr, value.Length);
        }
    }
}
