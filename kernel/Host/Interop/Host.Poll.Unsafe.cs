// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPoll = 7;

    /// <summary>Waits for descriptors; the value is how many are ready.</summary>
    [HostCall("poll")]
    public static HostResult Poll(Span<HostPollFd> fds, int timeoutMs)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostPollFd* fdsPtr = fds)
        {
            return Blocking(SysPoll, (long)fdsPtr, fds.Length, timeoutMs);
        }
    }
}
