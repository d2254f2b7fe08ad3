// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUname = 63;

    /// <summary>Reads the host's name.</summary>
    [HostCall("uname")]
    public static HostResult Uname(ref HostUtsname name)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostUtsname* namePtr = &name)
        {
            return Fast(SysUname, (long)namePtr);
        }
    }
}
