// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysBind = 49;

    /// <summary>Binds a socket to an address.</summary>
    [HostCall("bind")]
    public static HostResult Bind(int fd, ReadOnlySpan<byte> address)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* addressPtr = address)
        {
            return Fast(SysBind, fd, (long)addressPtr, address.Length);
        }
    }
}
