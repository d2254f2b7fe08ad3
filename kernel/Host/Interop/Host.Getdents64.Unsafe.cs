// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetdents64 = 217;

    /// <summary>Reads directory entries; the value is the bytes stored.</summary>
    [HostCall("getdents64")]
    public static HostResult Getdents64(int fd, Span<byte> buffer)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysGetdents64, fd, (long)bufferPtr, buffer.Length);
        }
    }
}
