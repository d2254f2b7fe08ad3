// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRecvfrom = 45;

    /// <summary>Receives bytes.</summary>
    [HostCall("recvfrom")]
    public static HostResult Recvfrom(int fd, Span<byte> buffer, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysRecvfrom, fd, (long)bufferPtr, buffer.Length, flags);
        }
    }
}
