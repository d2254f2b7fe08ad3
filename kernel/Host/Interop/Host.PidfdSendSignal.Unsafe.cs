// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPidfdSendSignal = 424;

    /// <summary>Sends a signal by process descriptor.</summary>
    [HostCall("pidfd_send_signal")]
    public static HostResult PidfdSendSignal(int pidfd, int signal) => Fast(SysPidfdSendSignal, pidfd, signal);
}
