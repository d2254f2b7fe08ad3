// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetrlimit = 160;

    /// <summary>Sets a resource limit.</summary>
    [HostCall("setrlimit")]
    public static HostResult Setrlimit(int resource, ref HostRlimit limit)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostRlimit* limitPtr = &limit)
        {
            return Fast(SysSetrlimit, resource, (long)limitPtr);
        }
    }
}
