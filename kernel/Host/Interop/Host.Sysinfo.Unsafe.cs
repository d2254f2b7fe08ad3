// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSysinfo = 99;

    /// <summary>Reads the machine's memory and load.</summary>
    [HostCall("sysinfo")]
    public static HostResult Sysinfo(ref HostSysinfo info)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostSysinfo* infoPtr = &info)
        {
            return Fast(SysSysinfo, (long)infoPtr);
        }
    }
}
