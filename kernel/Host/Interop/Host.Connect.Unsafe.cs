// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysConnect = 42;

    /// <summary>Connects a socket.</summary>
    [HostCall("connect")]
    public static HostResult Connect(int fd, ReadOnlySpan<byte> address)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* addressPtr = address)
        {
            return Blocking(SysConnect, fd, (long)addressPtr, address.Length);
        }
    }
}
