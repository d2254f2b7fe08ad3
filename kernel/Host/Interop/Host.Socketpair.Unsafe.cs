// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSocketpair = 53;

    /// <summary>Makes a pair of connected sockets.</summary>
    [HostCall("socketpair")]
    public static HostResult Socketpair(int family, int type, int protocol, ref FdPair pair)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (FdPair* pairPtr = &pair)
        {
            return Fast(SysSocketpair, family, type, protocol, (long)pairPtr);
        }
    }
}
