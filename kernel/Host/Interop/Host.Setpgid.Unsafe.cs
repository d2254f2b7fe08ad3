// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSetpgid = 109;

    /// <summary>Joins a process group.</summary>
    [HostCall("setpgid")]
    public static HostResult Setpgid(int pid, int pgid) => Fast(SysSetpgid, pid, pgid);
}
