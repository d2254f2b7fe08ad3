// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSendmsg = 46;

    /// <summary>Sends a message, descriptors included.</summary>
    [HostCall("sendmsg")]
    public static HostResult Sendmsg(int fd, ref HostMsghdr message, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostMsghdr* messagePtr = &message)
        {
            return Blocking(SysSendmsg, fd, (long)messagePtr, flags);
        }
    }
}
