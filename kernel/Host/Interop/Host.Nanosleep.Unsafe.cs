// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysNanosleep = 35;

    /// <summary>Sleeps.</summary>
    [HostCall("nanosleep")]
    public static HostResult Nanosleep(ref HostTimespec request)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostTimespec* requestPtr = &request)
        {
            return Blocking(SysNanosleep, (long)requestPtr);
        }
    }
}
