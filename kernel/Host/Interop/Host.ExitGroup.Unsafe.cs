// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysExitGroup = 231;

    /// <summary>Ends the process at once.</summary>
    [HostCall("exit_group")]
    public static HostResult ExitGroup(int status) => Blocking(SysExitGroup, status);
}
