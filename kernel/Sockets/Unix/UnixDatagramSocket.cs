// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Unix;

/// <summary>A Unix datagram socket.</summary>
internal sealed class UnixDatagramSocket : UnixSocket
{
    // net.unix.max_dgram_qlen is 10, and one more is let in (unix_recvq_full()).
    private const int MaximumMessages = 11;
    private readonly MessageQueue _messages = new();
    private readonly RoomWaiter _roomWaiter;
    private UnixDatagramSocket? _peer;
    private SocketCredentials _peerCredentials = new(0, uint.MaxValue, uint.MaxValue);
    private volatile bool _isClosed;
    private volatile bool _isSendingShut;

    internal UnixDatagramSocket(UserCredentials owner, NetworkNamespace network, OpenFlags flags)
        : base(owner, network, SOCK_DGRAM, flags)
    {
        _messages.ReaderQueue = Queue;
        _messages.MaximumMessages = MaximumMessages;
        _roomWaiter = new RoomWaiter(this);
    }

    /// <inheritdoc/>
    public override int ReadableBytes => _messages.FirstLength;

    /// <inheritdoc/>
    public override SocketCredentials PeerCredentials => _peerCredentials;

    internal static void ConnectPair(UnixDatagramSocket a, UnixDatagramSocket b, SocketCredentials credentials)
    {
        a._peerCredentials = credentials;
        b._peerCredentials = credentials;
        a.SetPeer(b);
        b.SetPeer(a);
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Connect(Task task, SocketAddress address)
    {
        if (address.Length >= 2 && address.Family == AF_UNSPEC)
        {
            SetPeer(null);
            return SyscallResult.Success;
        }

        Errno error = Find(task, address, out UnixSocket? found);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (found is not UnixDatagramSocket peer)
        {
            return (SyscallResult)Errno.EPROTOTYPE;
        }

        if (Options.PassesCredentials && Name is null)
        {
            _ = BindAnyName();
        }

        if (!peer.Accepts(this))
        {
            return (SyscallResult)Errno.EPERM;
        }

        SetPeer(peer);
        return SyscallResult.Success;
    }

    /// <inheritdoc/>
    public override IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        UnixDatagramSocket? target = Volatile.Read(ref _peer);
        if (request.Destination.Length > 0)
        {
            Errno found = Find(task, request.Destination, out UnixSocket? other);
            target = other as UnixDatagramSocket;
            if (found != Errno.None || target is null)
            {
                return found != Errno.None ? found : Errno.EPROTOTYPE;
            }
        }
        else if (target is null)
        {
            return Errno.ENOTCONN;
        }

        if (_isSendingShut)
        {
            return Errno.EPIPE;
        }

        if (target._isClosed)
        {
            if (request.Destination.Length == 0)
            {
                SetPeer(null);
            }

            return Errno.ECONNREFUSED;
        }

        if (source.Remaining > Options.SendBufferBytes - 32)
        {
            return Errno.EMSGSIZE;
        }

        if (!target.Accepts(this))
        {
            return Errno.EPERM;
        }

        if (Options.PassesCredentials && Name is null)
        {
            _ = BindAnyName();
        }

        SocketCredentials? credentials = request.Credentials;
        if (credentials is null && (Options.PassesCredentials || target.Options.PassesCredentials))
        {
            credentials = SocketCredentials.RealOf(task);
        }

        SocketAddress from = Name is null ? default : UnixName.ToAddress(Name);
        IoResult result = target._messages.Send(ref source, ref request, from, credentials, ignoresCount: target._peer == this);
        request.WaitOn = result.WouldBlock ? target._messages.SenderQueue : null;
        return result.Error == Errno.EPIPE && target._isClosed ? Errno.ECONNREFUSED : result;
    }

    /// <inheritdoc/>
    public override IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        IoResult result = _messages.Receive(ref destination, ref request);
        if (result.IsError && Options.HasError)
        {
            Errno error = Options.TakeError();
            return error != Errno.None ? error : result;
        }

        request.Credentials = !Options.PassesCredentials || result.IsError ? null : request.Credentials ?? SocketCredentials.Unknown;
        return result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents events = _messages.ReadReadiness() | (Options.HasError ? PollEvents.Err : PollEvents.None);
        UnixDatagramSocket? peer = Volatile.Read(ref _peer);
        if (peer is null || peer == this || peer._peer == this || peer._messages.HasRoom || peer._isClosed)
        {
            events |= PollEvents.AllOut;
        }

        return events & (mask | PollEvents.Err | PollEvents.Hup);
    }

    /// <inheritdoc/>
    public override Errno Shutdown(bool reading, bool writing)
    {
        if (reading)
        {
            _messages.ShutReader();
        }

        _isSendingShut |= writing;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno GetPeerName(out SocketAddress address)
    {
        UnixDatagramSocket? peer = Volatile.Read(ref _peer);
        address = UnixName.ToAddress(peer?.Name);
        return peer is null ? Errno.ENOTCONN : Errno.None;
    }

    /// <inheritdoc/>
    internal override void CollectRights(List<FileDescription> found) => _messages.CollectRights(found);

    /// <inheritdoc/>
    internal override void Purge() => _ = _messages.Abandon();

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _isClosed = true;
        SetPeer(null);
        _ = _messages.Abandon();
        base.OnRelease();
    }

    /// <summary>A connected socket takes datagrams from its peer only.</summary>
    private bool Accepts(UnixDatagramSocket sender) => Volatile.Read(ref _peer) is not { } peer || peer == sender;

    private void SetPeer(UnixDatagramSocket? peer)
    {
        lock (States)
        {
            _roomWaiter.Queue?.Remove(_roomWaiter);
            Volatile.Write(ref _peer, peer);
            peer?._messages.SenderQueue.Add(_roomWaiter, PollEvents.AllOut | PollEvents.Hup);
        }

        Queue.Notify(PollEvents.AllOut);
    }

    /// <summary>Passes on to those who wait for this socket that its peer has room again.</summary>
    private sealed class RoomWaiter(UnixDatagramSocket owner) : Waiter
    {
        protected override bool OnEvents(PollEvents events)
        {
            owner.Queue.Notify(PollEvents.AllOut);
            return true;
        }
    }
}
