// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>A UDP socket (udp(7)) on the loopback.</summary>
internal sealed class UdpSocket : InetSocket
{
    private const int MaximumPayload = 65507;
    private readonly MessageQueue _messages = new();
    private volatile bool _isSendingShut;

    internal UdpSocket(UserCredentials owner, NetworkNamespace network, int family, OpenFlags flags)
        : base(owner, network, family, SOCK_DGRAM, IPPROTO_UDP, flags) => _messages.ReaderQueue = Queue;

    /// <inheritdoc/>
    public override int ReadableBytes => _messages.FirstLength;

    /// <inheritdoc/>
    [RequiresLock("Stack.Lock")]
    private protected override PortTable Ports => Stack.Udp;

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Connect(Task task, SocketAddress address)
    {
        if (address.Length >= 2 && address.Family == AF_UNSPEC)
        {
            lock (Stack.Lock)
            {
                Remote = default;
                return SyscallResult.Success;
            }
        }

        Errno error = InetEndpoint.Parse(address, Family, out InetEndpoint remote);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (IsV6Only && remote.Address.IsV4)
        {
            return (SyscallResult)Errno.ENETUNREACH;
        }

        if (remote.Address.IsBroadcast && !Options.Broadcasts)
        {
            return (SyscallResult)Errno.EACCES;
        }

        if (!NetworkStack.TryRoute(remote, out InetEndpoint routed))
        {
            return (SyscallResult)Errno.ENETUNREACH;
        }

        lock (Stack.Lock)
        {
            error = Local.Port == 0 ? BindLocked(new InetEndpoint(AnyAddress, 0)) : Errno.None;
            if (error == Errno.None)
            {
                Local = Local.Address.IsAny ? Local with { Address = NetworkStack.SourceFor(routed.Address) } : Local;
                Remote = routed;
            }

            return (SyscallResult)(error == Errno.EADDRINUSE ? Errno.EAGAIN : error);
        }
    }

    /// <inheritdoc/>
    public override IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (source.Remaining > MaximumPayload)
        {
            return Errno.EMSGSIZE;
        }

        InetEndpoint remote = default;
        if (request.Destination.Length > 0)
        {
            Errno error = ParseDestination(request.Destination, out remote);
            if (error != Errno.None)
            {
                return error;
            }
        }

        if (_isSendingShut)
        {
            return Errno.EPIPE;
        }

        if (Options.HasError)
        {
            Errno pending = Options.TakeError();
            if (pending != Errno.None)
            {
                return pending;
            }
        }

        return Deliver(ref source, remote, request);
    }

    /// <inheritdoc/>
    public override IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if ((request.Flags & MSG_ERRQUEUE) != 0)
        {
            return Errno.EAGAIN;
        }

        if (Options.HasError)
        {
            Errno error = Options.TakeError();
            if (error != Errno.None)
            {
                return error;
            }
        }

        IoResult result = _messages.Receive(ref destination, ref request);
        request.Credentials = null;
        return result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents events = _messages.ReadReadiness() | PollEvents.AllOut;
        events |= Options.HasError ? PollEvents.Err : PollEvents.None;
        events |= _isSendingShut && _messages.IsReaderShut ? PollEvents.Hup : PollEvents.None;
        return events & (mask | PollEvents.Err | PollEvents.Hup);
    }

    /// <inheritdoc/>
    public override Errno Shutdown(bool reading, bool writing)
    {
        lock (Stack.Lock)
        {
            if (Remote.Port == 0)
            {
                return Errno.ENOTCONN;
            }
        }

        _isSendingShut |= writing;
        if (reading)
        {
            _messages.ShutReader();
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    protected override void OnBufferChanged() => _messages.CapacityBytes = Options.ReceiveBufferBytes;

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        lock (Stack.Lock)
        {
            UnbindLocked();
            Remote = default;
        }

        _ = _messages.Abandon();
    }

    private Errno ParseDestination(in SocketAddress address, out InetEndpoint remote)
    {
        // An IPv6 socket takes IPv4 addresses as well (udpv6_sendmsg()).
        Errno error = InetEndpoint.Parse(address, Family == AF_INET6 && address.Family == AF_INET ? AF_INET : Family, out remote);
        if (error != Errno.None)
        {
            return error;
        }

        return remote.Port == 0 ? Errno.EINVAL
            : IsV6Only && remote.Address.IsV4 ? Errno.ENETUNREACH
            : remote.Address.IsBroadcast && !Options.Broadcasts ? Errno.EACCES
            : Errno.None;
    }

    private IoResult Deliver(ref IoBuffer source, InetEndpoint remote, in SendRequest request)
    {
        UdpSocket? receiver;
        InetEndpoint from;
        PacketTraits traits;
        bool isConnected = remote.Port == 0;
        lock (Stack.Lock)
        {
            remote = isConnected ? Remote : remote;
            if (remote.Port == 0)
            {
                return Errno.EDESTADDRREQ;
            }

            if (!NetworkStack.TryRoute(remote, out remote))
            {
                return Errno.ENETUNREACH;
            }

            if (Local.Port == 0 && BindLocked(new InetEndpoint(AnyAddress, 0)) != Errno.None)
            {
                return Errno.EAGAIN;
            }

            from = Local.Address.IsAny ? Local with { Address = NetworkStack.SourceFor(remote.Address) } : Local;
            receiver = Stack.FindReceiver(from, remote);
            traits = TraitsLocked(remote.Address.IsV4);
        }

        Errno error = Message.Create(ref source, out Message message);
        if (error != Errno.None)
        {
            return error;
        }

        int length = message.Length;
        if (receiver is null)
        {
            // ICMP says that the port is unreachable; only a connected socket is told.
            message.Free();
            if (isConnected)
            {
                Options.SetError(Errno.ECONNREFUSED);
                Queue.Notify(PollEvents.Err | PollEvents.AllIn | PollEvents.AllOut);
            }

            return length;
        }

        message.Source = from.ToSocketAddress(receiver.Family);
        message.Destination = remote;
        message.Traits = new PacketTraits(request.HopLimit ?? traits.HopLimit, request.TrafficClass ?? traits.TrafficClass);
        message.ArrivalNs = receiver.Options.Timestamps ? KernelClock.RealtimeNs : 0;
        if (receiver._messages.Add(message, ignoresCount: true) != Errno.None)
        {
            // The receiver's buffer is full: the datagram is lost, as datagrams are.
            message.Free();
        }

        return length;
    }
}
