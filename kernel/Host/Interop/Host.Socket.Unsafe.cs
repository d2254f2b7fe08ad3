// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSocket = 41;

    /// <summary>Makes a socket.</summary>
    [HostCall("socket")]
    public static HostResult Socket(int family, int type, int protocol) => Fast(SysSocket, family, type, protocol);
}
