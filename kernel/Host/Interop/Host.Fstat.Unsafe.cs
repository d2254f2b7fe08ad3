// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFstat = 5;

    /// <summary>Reads a descriptor's attributes.</summary>
    [HostCall("fstat")]
    public static HostResult Fstat(int fd, ref HostStat stat)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostStat* statPtr = &stat)
        {
            return Fast(SysFstat, fd, (long)statPtr);
        }
    }
}
