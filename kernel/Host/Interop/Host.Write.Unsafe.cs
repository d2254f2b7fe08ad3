// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysWrite = 1;

    /// <summary>Writes the buffer; the value is the count in bytes.</summary>
    [HostCall("write")]
    public static HostResult Write(int fd, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysWrite, fd, (long)bufferPtr, buffer.Length);
        }
    }
}
