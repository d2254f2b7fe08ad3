// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysMemfdCreate = 319;

    /// <summary>Makes an anonymous memory file. Paths and names are NUL-terminated.</summary>
    [HostCall("memfd_create")]
    public static HostResult MemfdCreate(ReadOnlySpan<byte> name, uint flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* namePtr = name)
        {
            return Fast(SysMemfdCreate, (long)namePtr, flags);
        }
    }
}
