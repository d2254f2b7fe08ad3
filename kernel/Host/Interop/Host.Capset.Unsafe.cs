// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysCapset = 126;

    /// <summary>Sets the thread's capabilities.</summary>
    [HostCall("capset")]
    public static HostResult Capset(ref HostCapHeader header, ref HostCapData data)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostCapHeader* headerPtr = &header)
        fixed (HostCapData* dataPtr = &data)
        {
            return Fast(SysCapset, (long)headerPtr, (long)dataPtr);
        }
    }
}
