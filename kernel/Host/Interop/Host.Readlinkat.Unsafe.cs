// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysReadlinkat = 267;

    /// <summary>Reads a symbolic link; the value is its length in bytes. Paths and names are NUL-terminated.</summary>
    [HostCall("readlinkat")]
    public static HostResult Readlinkat(int dirfd, ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (byte* bufferPtr = buffer)
        {
            return Blocking(SysReadlinkat, dirfd, (long)pathPtr, (long)bufferPtr, buffer.Length);
        }
    }
}
