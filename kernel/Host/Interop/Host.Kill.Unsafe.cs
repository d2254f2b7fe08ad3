// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysKill = 62;

    /// <summary>Sends a signal to a process.</summary>
    [HostCall("kill")]
    public static HostResult Kill(int pid, int signal) => Fast(SysKill, pid, signal);
}
