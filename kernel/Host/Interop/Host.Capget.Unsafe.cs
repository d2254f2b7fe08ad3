// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysCapget = 125;

    /// <summary>Reads the thread's capabilities.</summary>
    [HostCall("capget")]
    public static HostResult Capget(ref HostCapHeader header, ref HostCapData data)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostCapHeader* headerPtr = &header)
        fixed (HostCapData* dataPtr = &data)
        {
            return Fast(SysCapget, (long)headerPtr, (long)dataPtr);
        }
    }
}
