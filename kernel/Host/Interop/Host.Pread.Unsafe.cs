// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPread = 17;

    /// <summary>Reads at an offset in bytes.</summary>
    [HostCall("pread64")]
    public static HostResult Pread(int fd, Span<byte> buffer, long offset)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysPread, fd, (long)bufferPtr, buffer.Length, offset);
        }
    }
}
