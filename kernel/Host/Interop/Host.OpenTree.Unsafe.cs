// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysOpenTree = 428;

    /// <summary>Opens a mount, or a detached copy of one. Paths and names are NUL-terminated.</summary>
    [HostCall("open_tree")]
    public static HostResult OpenTree(int directory, ReadOnlySpan<byte> path, uint flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysOpenTree, directory, (long)pathPtr, flags);
        }
    }
}
