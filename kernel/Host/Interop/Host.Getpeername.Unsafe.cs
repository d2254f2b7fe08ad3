// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetpeername = 52;

    /// <summary>Reads a socket's peer address.</summary>
    [HostCall("getpeername")]
    public static HostResult Getpeername(int fd, nuint address, ref int length)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (int* lengthPtr = &length)
        {
            return Fast(SysGetpeername, fd, unchecked((long)address), (long)lengthPtr);
        }
    }
}
