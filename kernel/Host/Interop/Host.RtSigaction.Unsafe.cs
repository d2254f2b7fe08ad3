// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRtSigaction = 13;

    /// <summary>Ignores a signal from now on (SIG_IGN); ignoring SIGCHLD lets the host forget children as they end.</summary>
    [HostCall("rt_sigaction")]
    public static HostResult IgnoreSignal(int signal)
    {
        // struct kernel_sigaction: handler, flags, restorer, mask.
        ulong* action = stackalloc ulong[4] { 1, 0, 0, 0 };

        // SAFETY: the action lives on this stack until the call returns.
        return Fast(SysRtSigaction, signal, (long)action, 0, 8);
    }
}
