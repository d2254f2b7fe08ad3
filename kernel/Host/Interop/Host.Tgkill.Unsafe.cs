// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysTgkill = 234;

    /// <summary>Sends a signal to a thread.</summary>
    [HostCall("tgkill")]
    public static HostResult Tgkill(int tgid, int tid, int signal) => Fast(SysTgkill, tgid, tid, signal);
}
