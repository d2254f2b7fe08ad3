// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPidfdOpen = 434;

    /// <summary>Opens a process as a descriptor.</summary>
    [HostCall("pidfd_open")]
    public static HostResult PidfdOpen(int pid, uint flags) => Fast(SysPidfdOpen, pid, flags);
}
