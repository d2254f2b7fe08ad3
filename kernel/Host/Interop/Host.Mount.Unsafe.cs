// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMount = 165;

    /// <summary>Mounts a file system. Paths and names are NUL-terminated.</summary>
    [HostCall("mount")]
    public static HostResult Mount(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, ReadOnlySpan<byte> type, ulong flags, ReadOnlySpan<byte> data)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* sourcePtr = source)
        fixed (byte* targetPtr = target)
        fixed (byte* typePtr = type)
        fixed (byte* dataPtr = data)
        {
            return Blocking(SysMount, (long)sourcePtr, (long)targetPtr, (long)typePtr, unchecked((long)flags), (long)dataPtr);
        }
    }
}
