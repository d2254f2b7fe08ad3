// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPwrite = 18;

    /// <summary>Writes at an offset in bytes.</summary>
    [HostCall("pwrite64")]
    public static HostResult Pwrite(int fd, ReadOnlySpan<byte> buffer, long offset)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysPwrite, fd, (long)bufferPtr, buffer.Length, offset);
        }
    }
}
