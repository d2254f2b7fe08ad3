// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>Makes sockets of all families.</summary>
public static class SocketFactory
{
    /// <summary>socket(2).</summary>
    /// <param name="task">Who.</param>
    /// <param name="family">AF_*.</param>
    /// <param name="type">SOCK_*, without flags.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="flags">O_NONBLOCK.</param>
    /// <param name="socket">The socket, with one reference.</param>
    public static Errno Create(Task task, int family, int type, int protocol, OpenFlags flags, out SocketDescription? socket)
    {
        socket = null;
        if (type is < 0 or > SOCK_PACKET)
        {
            return Errno.EINVAL;
        }

        return family switch
        {
            AF_UNIX => Unix.UnixSocket.Create(task, type, protocol, flags, out socket),
            AF_INET or AF_INET6 => protocol is < 0 or > byte.MaxValue ? Errno.EINVAL : Inet.InetSocket.Create(task, family, type, protocol, flags, out socket),
            AF_NETLINK => Netlink.NetlinkSocket.Create(task, type, protocol, flags, out socket),
            AF_PACKET => task.Credentials.Has(Capability.NetRaw, task.NetworkNamespace.Owner!) ? Errno.EAFNOSUPPORT : Errno.EPERM,
            _ => Errno.EAFNOSUPPORT,
        };
    }

    /// <summary>socketpair(2).</summary>
    /// <returns>None; EOPNOTSUPP for families whose sockets cannot be made in pairs.</returns>
    public static Errno CreatePair(Task task, int family, int type, int protocol, OpenFlags flags, out SocketDescription? first, out SocketDescription? second)
    {
        second = null;
        if (family == AF_UNIX && type is >= 0 and <= SOCK_PACKET)
        {
            return Unix.UnixSocket.CreatePair(task, type, protocol, flags, out first, out second);
        }

        Errno error = Create(task, family, type, protocol, flags, out first);
        if (error == Errno.None)
        {
            first!.Unreference();
            first = null;
            error = Errno.EOPNOTSUPP;
        }

        return error;
    }
}
