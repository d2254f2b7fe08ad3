// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetsockopt = 55;

    /// <summary>Reads a socket option.</summary>
    [HostCall("getsockopt")]
    public static HostResult Getsockopt(int fd, int level, int option, nuint value, ref int length)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (int* lengthPtr = &length)
        {
            return Fast(SysGetsockopt, fd, level, option, unchecked((long)value), (long)lengthPtr);
        }
    }
}
