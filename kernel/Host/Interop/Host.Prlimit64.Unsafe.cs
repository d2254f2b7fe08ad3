// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPrlimit64 = 302;

    /// <summary>Reads and sets a resource limit.</summary>
    [HostCall("prlimit64")]
    public static HostResult Prlimit64(int pid, int resource, nuint newLimit, ref HostRlimit oldLimit)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostRlimit* oldLimitPtr = &oldLimit)
        {
            return Fast(SysPrlimit64, pid, resource, unchecked((long)newLimit), (long)oldLimitPtr);
        }
    }
}
