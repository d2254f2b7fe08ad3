// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>An internet socket: addresses and binding, which TCP and UDP share.</summary>
public abstract partial class InetSocket : SocketDescription
{
    private const int FirstFreePort = 1024;

    private protected InetSocket(UserCredentials owner, NetworkNamespace network, int family, int type, int protocol, OpenFlags flags)
        : base(owner, network, family, type, protocol, flags)
    {
        Stack = NetworkStack.Of(network);
        OwnerUid = owner.FileUid;
        Local = new InetEndpoint(AnyAddress, 0);
    }

    /// <summary>The address that it is bound to; port 0 when it is not. Guarded by the stack's lock.</summary>
    public InetEndpoint Local { get; private protected set; }

    /// <summary>The peer; port 0 when there is none. Guarded by the stack's lock.</summary>
    public InetEndpoint Remote { get; private protected set; }

    /// <summary>Who made it: SO_REUSEPORT is for sockets of one user.</summary>
    public uint OwnerUid { get; }

    /// <summary>IPV6_V6ONLY.</summary>
    public bool IsV6Only { get; private set; }

    /// <summary>The stack.</summary>
    private protected NetworkStack Stack { get; }

    /// <summary>The ports of its protocol.</summary>
    [RequiresLock("Stack.Lock")]
    private protected abstract PortTable Ports { get; }

    private protected InetAddress AnyAddress => Family == AF_INET ? InetAddress.AnyV4 : InetAddress.AnyV6;

    /// <summary>Makes a TCP or UDP socket.</summary>
    /// <returns>None; ESOCKTNOSUPPORT; EPROTONOSUPPORT; EPERM, EACCES for what needs packets.</returns>
    public static Errno Create(Task task, int family, int type, int protocol, OpenFlags flags, out SocketDescription? socket)
    {
        socket = null;
        switch (type)
        {
            case SOCK_STREAM when protocol is 0 or IPPROTO_TCP:
                socket = new TcpSocket(task.Credentials, task.NetworkNamespace, family, flags);
                return Errno.None;
            case SOCK_DGRAM when protocol is 0 or IPPROTO_UDP:
                socket = new UdpSocket(task.Credentials, task.NetworkNamespace, family, flags);
                return Errno.None;
            case SOCK_DGRAM when protocol is IPPROTO_ICMP or IPPROTO_ICMPV6:
                // net.ipv4.ping_group_range is empty, as it is by default.
                return Errno.EACCES;
            case SOCK_RAW:
                return task.Credentials.Has(Capability.NetRaw, task.NetworkNamespace.Owner!) ? Errno.EPROTONOSUPPORT : Errno.EPERM;
            case SOCK_STREAM or SOCK_DGRAM:
                return Errno.EPROTONOSUPPORT;
            default:
                return Errno.ESOCKTNOSUPPORT;
        }
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Bind(Task task, SocketAddress address)
    {
        Errno error = ParseForBind(address, out InetEndpoint local);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        InetAddress wanted = local.Address;
        bool isGroup = Type == SOCK_DGRAM && (wanted.IsMulticast || wanted.IsBroadcast);
        if (!wanted.IsAny && !wanted.IsLoopback && !isGroup && !_bindsFreely)
        {
            return (SyscallResult)Errno.EADDRNOTAVAIL;
        }

        if (IsV6Only && wanted.IsV4)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if (local.Port is > 0 and < FirstFreePort && !task.Credentials.Has(Capability.NetBindService, Network.Owner!))
        {
            return (SyscallResult)Errno.EACCES;
        }

        lock (Stack.Lock)
        {
            return (SyscallResult)(Local.Port != 0 || Remote.Port != 0 ? Errno.EINVAL : BindLocked(local));
        }
    }

    /// <inheritdoc/>
    public override Errno GetName(out SocketAddress address)
    {
        lock (Stack.Lock)
        {
            address = Local.ToSocketAddress(Family);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno GetPeerName(out SocketAddress address)
    {
        lock (Stack.Lock)
        {
            address = Remote.ToSocketAddress(Family);
            return HasPeerLocked ? Errno.None : Errno.ENOTCONN;
        }
    }

    /// <summary>How well the bound address fits one that something was sent to: 0 when it does not.</summary>
    internal int Match(InetAddress destination)
    {
        const int Exact = 3, Family = 2, Dual = 1;
        return Local.Address == destination ? Exact
            : Local.Address == InetAddress.AnyV4 ? (destination.IsV4 ? Family : 0)
            : Local.Address != InetAddress.AnyV6 ? 0
            : !destination.IsV4 ? Family
            : IsV6Only ? 0 : Dual;
    }

    private protected virtual bool HasPeerLocked => Remote.Port != 0;

    /// <summary>Binds to an address; port 0 takes any.</summary>
    [RequiresLock("Stack.Lock")]
    private protected Errno BindLocked(InetEndpoint local)
    {
        Errno error = Ports.Bind(this, local, out ushort port);
        if (error == Errno.None)
        {
            Local = local with { Port = port };
        }

        return error;
    }

    /// <summary>Gives the port back.</summary>
    [RequiresLock("Stack.Lock")]
    private protected void UnbindLocked()
    {
        if (Local.Port != 0)
        {
            Ports.Remove(this, Local.Port);
            Local = new InetEndpoint(AnyAddress, 0);
        }
    }

    private Errno ParseForBind(in SocketAddress address, out InetEndpoint local)
    {
        Errno error = InetEndpoint.Parse(address, Family, out local);
        if (error == Errno.EAFNOSUPPORT && Family == AF_INET && address.Family == AF_UNSPEC && address.Length >= 16)
        {
            // An old habit: no family with the wildcard address (__inet_bind()).
            SocketAddress again = SocketAddress.Create(AF_INET, 16);
            address.Bytes[2..16].CopyTo(again.Writable[2..]);
            error = InetEndpoint.Parse(again, AF_INET, out local);
            error = error == Errno.None && local.Address != InetAddress.AnyV4 ? Errno.EAFNOSUPPORT : error;
        }

        return error;
    }
}
