// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetsockname = 51;

    /// <summary>Reads a socket's own address.</summary>
    [HostCall("getsockname")]
    public static HostResult Getsockname(int fd, nuint address, ref int length)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (int* lengthPtr = &length)
        {
            return Fast(SysGetsockname, fd, unchecked((long)address), (long)lengthPtr);
        }
    }
}
