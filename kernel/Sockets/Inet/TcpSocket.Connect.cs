// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>How connections begin and end.</summary>
internal sealed partial class TcpSocket
{
    private volatile bool _isReset;

    /// <inheritdoc/>
    public override async Blocking<SyscallResult> Connect(Task task, SocketAddress address)
    {
        if (address.Length >= 2 && address.Family == AF_UNSPEC)
        {
            Disconnect();
            return SyscallResult.Success;
        }

        Errno error = InetEndpoint.Parse(address, Family, out InetEndpoint remote);
        if (error != Errno.None)
        {
            return error;
        }

        bool isNonBlocking = IsNonBlocking;
        error = Begin(remote, isNonBlocking);
        if (error != Errno.EAGAIN)
        {
            return error;
        }

        long timeoutNs = Options.SendTimeoutNs;
        long deadlineNs = SocketIo.Deadline(timeoutNs);
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
        try
        {
            while (_state == TcpState.SynSent)
            {
                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return Errno.EINPROGRESS;
                    case BlockOutcome.Interrupted:
                        return SocketIo.Interrupted(timeoutNs);
                }
            }

            _reportsConnect = false;
            return _state == TcpState.Established ? Errno.None : Options.TakeError() is not Errno.None and Errno failed ? failed : Errno.ECONNREFUSED;
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <summary>Starts a connection, or says how one that was started stands.</summary>
    /// <returns>None; EINPROGRESS; EALREADY; EISCONN; EAGAIN when the caller is to wait; or why it failed.</returns>
    private Errno Begin(InetEndpoint remote, bool isNonBlocking)
    {
        if (IsV6Only && remote.Address.IsV4)
        {
            return Errno.ENETUNREACH;
        }

        if (!NetworkStack.TryRoute(remote, out InetEndpoint routed))
        {
            return Errno.ENETUNREACH;
        }

        TcpSocket? listener;
        lock (Stack.Lock)
        {
            switch (_state)
            {
                case TcpState.Established when _reportsConnect:
                    _reportsConnect = false;
                    return Errno.None;
                case TcpState.Established or TcpState.Listen:
                    return Errno.EISCONN;
                case TcpState.SynSent:
                    return isNonBlocking ? Errno.EALREADY : Errno.EAGAIN;
            }

            if (_wasConnected)
            {
                return Errno.EISCONN;
            }

            if (_reportsConnect)
            {
                // A failure that was not told yet.
                _reportsConnect = false;
                return Options.TakeError() is not Errno.None and Errno failed ? failed : Errno.ECONNABORTED;
            }

            bool wasBound = Local.Port != 0;
            Errno error = !wasBound ? BindLocked(new InetEndpoint(AnyAddress, 0)) : Errno.None;
            if (error != Errno.None)
            {
                return Errno.EADDRNOTAVAIL;
            }

            Local = Local.Address.IsAny ? Local with { Address = NetworkStack.SourceFor(routed.Address) } : Local;
            listener = Stack.FindListener(routed);
            if (listener is null)
            {
                if (!wasBound)
                {
                    UnbindLocked();
                }

                return RefuseLocked(isNonBlocking);
            }

            Remote = routed;
            if (listener._accepted.Count > listener._backlogLimit)
            {
                listener._waiting.Enqueue(this);
                _state = TcpState.SynSent;
                _reportsConnect = isNonBlocking;
                return isNonBlocking ? Errno.EINPROGRESS : Errno.EAGAIN;
            }

            listener.EstablishLocked(this, routed);
            _reportsConnect = isNonBlocking;
        }

        Queue.Notify(PollEvents.AllOut);
        return isNonBlocking ? Errno.EINPROGRESS : Errno.None;
    }

    /// <summary>Nobody listens: a non-blocking socket learns it from SO_ERROR.</summary>
    [RequiresLock("Stack.Lock")]
    private Errno RefuseLocked(bool isNonBlocking)
    {
        if (!isNonBlocking)
        {
            return Errno.ECONNREFUSED;
        }

        _reportsConnect = true;
        Options.SetError(Errno.ECONNREFUSED);
        Queue.Notify(PollEvents.Err | PollEvents.Hup | PollEvents.AllOut | PollEvents.AllIn);
        return Errno.EINPROGRESS;
    }

    /// <summary>Makes the server's socket of a client that connects to this listener.</summary>
    [RequiresLock("Stack.Lock")]
    private void EstablishLocked(TcpSocket client, InetEndpoint destination)
    {
        TcpSocket server = new(Core.Credentials.UserCredentials.Root with { FileUid = OwnerUid }, Network, Family, OpenFlags.ReadOnly)
        {
            Local = destination,
            Remote = client.Local,
            _isFresh = true,
            _isBuffersSet = _isBuffersSet,
        };
        server.Options.CopyFrom(Options);
        server.CopyTcpOptions(this);
        Channel toServer = new StreamChannel(UntunedBytes) { ReaderQueue = server.Queue, WriterQueue = client.Queue };
        Channel toClient = new StreamChannel(UntunedBytes) { ReaderQueue = client.Queue, WriterQueue = server.Queue };
        Join(client, server, toClient, toServer);
        Join(server, client, toServer, toClient);
        client.SizeChannels();
        server.SizeChannels();
        _accepted.Enqueue(server);
        Queue.Notify(PollEvents.AllIn);
    }

    private static void Join(TcpSocket socket, TcpSocket peer, Channel incoming, Channel outgoing)
    {
        socket._peer = peer;
        Volatile.Write(ref socket._incoming, incoming);
        Volatile.Write(ref socket._outgoing, outgoing);
        socket._wasConnected = true;
        socket._state = TcpState.Established;
    }

    /// <summary>What may be on its way to a socket: what it and its peer set, or a good measure when neither did.</summary>
    private void SizeChannels()
    {
        if (_peer is not { } peer)
        {
            return;
        }

        bool isSet = _isBuffersSet || peer._isBuffersSet;
        _incoming?.SetCapacity(isSet ? Options.ReceiveBufferBytes + peer.Options.SendBufferBytes : UntunedBytes);
        _outgoing?.SetCapacity(isSet ? Options.SendBufferBytes + peer.Options.ReceiveBufferBytes : UntunedBytes);
    }

    /// <summary>connect(2) with AF_UNSPEC: forgets the peer.</summary>
    private void Disconnect()
    {
        if (_state == TcpState.Listen)
        {
            StopListening();
        }

        CloseConnection(isAbort: true);
        lock (Stack.Lock)
        {
            _state = TcpState.Closed;
            _wasConnected = false;
            _isReset = false;
            _isReceivingShut = false;
            _peer = null;
            Remote = default;
            Volatile.Write(ref _incoming, null);
            Volatile.Write(ref _outgoing, null);
            UnbindLocked();
        }

        Queue.NotifyAll(PollEvents.AllIn | PollEvents.AllOut | PollEvents.Hup);
    }

    /// <summary>Ends the connection: with a reset when bytes of the peer were not read, or when asked.</summary>
    private void CloseConnection(bool isAbort)
    {
        if (_incoming is not { } incoming || _outgoing is not { } outgoing)
        {
            return;
        }

        if ((isAbort || incoming.Count > 0) && !_isReset)
        {
            _peer!.TakeReset(Errno.ECONNRESET);
        }

        outgoing.ShutWriter();
        _ = incoming.Abandon();
    }

    /// <summary>A reset came: what was received can still be read, then the error is told once.</summary>
    private void TakeReset(Errno error)
    {
        _isReset = true;
        Options.SetError(error);
        Queue.NotifyAll(PollEvents.Err | PollEvents.Hup | PollEvents.AllIn | PollEvents.AllOut | PollEvents.RdHup);
    }

    private void StopListening()
    {
        FileDescription[] accepted;
        TcpSocket[] waiting;
        lock (Stack.Lock)
        {
            _state = TcpState.Closed;
            accepted = [.. _accepted];
            waiting = [.. _waiting];
            _accepted.Clear();
            _waiting.Clear();
            foreach (TcpSocket client in waiting)
            {
                if (client._state == TcpState.SynSent)
                {
                    client._state = TcpState.Closed;
                    client.Options.SetError(Errno.ECONNREFUSED);
                }
            }
        }

        foreach (TcpSocket client in waiting)
        {
            client.Queue.NotifyAll(PollEvents.Err | PollEvents.Hup | PollEvents.AllOut | PollEvents.AllIn);
        }

        Queue.NotifyAll(PollEvents.AllIn | PollEvents.Hup);
        SocketIo.DropRights(accepted);
    }
}
