// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRtSigprocmask = 14;

    /// <summary>Changes the thread's signal mask.</summary>
    [HostCall("rt_sigprocmask")]
    public static HostResult RtSigprocmask(int how, ref ulong set)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (ulong* setPtr = &set)
        {
            return Fast(SysRtSigprocmask, how, (long)setPtr, 0, 8);
        }
    }
}
