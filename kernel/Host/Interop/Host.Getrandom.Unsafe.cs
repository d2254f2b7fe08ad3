// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetrandom = 318;

    /// <summary>Fills the buffer with random bytes.</summary>
    [HostCall("getrandom")]
    public static HostResult Getrandom(Span<byte> buffer, uint flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* bufferPtr = buffer)
        {
            return Fast(SysGetrandom, (long)bufferPtr, buffer.Length, flags);
        }
    }
}
