// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysRecvmsg = 47;

    /// <summary>Receives a message, descriptors included.</summary>
    [HostCall("recvmsg")]
    public static HostResult Recvmsg(int fd, ref HostMsghdr message, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostMsghdr* messagePtr = &message)
        {
            return Blocking(SysRecvmsg, fd, (long)messagePtr, flags);
        }
    }
}
