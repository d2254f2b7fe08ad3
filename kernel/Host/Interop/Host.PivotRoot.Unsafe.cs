// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPivotRoot = 155;

    /// <summary>Swaps the root mount. Paths and names are NUL-terminated.</summary>
    [HostCall("pivot_root")]
    public static HostResult PivotRoot(ReadOnlySpan<byte> newRoot, ReadOnlySpan<byte> putOld)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* newRootPtr = newRoot)
        fixed (byte* putOldPtr = putOld)
        {
            return Blocking(SysPivotRoot, (long)newRootPtr, (long)putOldPtr);
        }
    }
}
