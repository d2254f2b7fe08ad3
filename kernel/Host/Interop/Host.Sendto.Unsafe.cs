// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSendto = 44;

    /// <summary>Sends bytes.</summary>
    [HostCall("sendto")]
    public static HostResult Sendto(int fd, ReadOnlySpan<byte> buffer, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysSendto, fd, (long)bufferPtr, buffer.Length, flags);
        }
    }
}
