// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRead = 0;

    /// <summary>Reads into the buffer; the value is the count in bytes, 0 at the end.</summary>
    [HostCall("read")]
    public static HostResult Read(int fd, Span<byte> buffer)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysRead, fd, (long)bufferPtr, buffer.Length);
        }
    }
}
