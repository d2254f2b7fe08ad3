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

/// <summary>A Unix socket that connects: SOCK_STREAM or SOCK_SEQPACKET.</summary>
/// <remarks>The server's end is made by connect(2) and waits in the listener's backlog: the client can send before anybody accepts.</remarks>
internal sealed class UnixConnectionSocket(UserCredentials owner, NetworkNamespace network, int type, OpenFlags flags) : UnixSocket(owner, network, type, flags)
{
    [GuardedBy(nameof(States))]
    private Queue<UnixConnectionSocket>? _backlog;
    [GuardedBy(nameof(States))]
    private int _backlogLimit;
    [GuardedBy(nameof(States))]
    private bool _isClosed;
    [GuardedBy(nameof(States))]
    private bool _isEmbryo;
    private Channel? _incoming;
    private Channel? _outgoing;
    private UnixConnectionSocket? _peer;
    private SocketCredentials _ownCredentials = new(0, uint.MaxValue, uint.MaxValue);
    private SocketCredentials _peerCredentials = new(0, uint.MaxValue, uint.MaxValue);

    /// <summary>Told when the backlog has room again, or the listener is gone.</summary>
    private WaitQueue BacklogQueue { get; } = new();

    /// <inheritdoc/>
    public override bool IsListening => Volatile.Read(ref _backlog) is not null;

    /// <inheritdoc/>
    public override SocketCredentials PeerCredentials => _peerCredentials;

    /// <inheritdoc/>
    public override int ReadableBytes => IsListening ? -1 : Volatile.Read(ref _incoming)?.Count ?? 0;

    /// <inheritdoc/>
    public override int UnsentBytes => Volatile.Read(ref _outgoing)?.Count ?? 0;

    internal static void ConnectPair(UnixConnectionSocket a, UnixConnectionSocket b, SocketCredentials credentials)
    {
        lock (States)
        {
            a._ownCredentials = credentials;
            b._ownCredentials = credentials;
            LinkLocked(a, b);
        }
    }

    /// <inheritdoc/>
    public override Errno Listen(Task task, int backlog)
    {
        lock (States)
        {
            if (Name is null || _incoming is not null)
            {
                return Errno.EINVAL;
            }

            _ownCredentials = SocketCredentials.Of(task);
            _backlogLimit = (int)Math.Min(unchecked((uint)backlog), 4096);
            Volatile.Write(ref _backlog, _backlog ?? new Queue<UnixConnectionSocket>());
        }

        BacklogQueue.Notify(PollEvents.AllOut);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Accept(OpenFlags flags, out SocketDescription? accepted)
    {
        accepted = null;
        lock (States)
        {
            if (_backlog is null)
            {
                return Errno.EINVAL;
            }

            if (!_backlog.TryDequeue(out UnixConnectionSocket? first))
            {
                return Errno.EAGAIN;
            }

            first._isEmbryo = false;
            first.SetStatusFlags(flags & OpenFlags.NonBlock);
            accepted = first;
        }

        BacklogQueue.Notify(PollEvents.AllOut);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override async Blocking<SyscallResult> Connect(Task task, SocketAddress address)
    {
        Errno error = Find(task, address, out UnixSocket? found);
        if (error != Errno.None)
        {
            return error;
        }

        if (found is not UnixConnectionSocket listener || listener.Type != Type)
        {
            return Errno.EPROTOTYPE;
        }

        if (Options.PassesCredentials && Name is null)
        {
            _ = BindAnyName();
        }

        error = TryConnect(task, listener);
        if (error != Errno.EAGAIN || IsNonBlocking)
        {
            return error;
        }

        long timeoutNs = Options.SendTimeoutNs;
        long deadlineNs = SocketIo.Deadline(timeoutNs);
        task.PrepareToWait();
        listener.BacklogQueue.Add(task.Waiter, PollEvents.AllOut | PollEvents.Hup);
        try
        {
            while (true)
            {
                error = TryConnect(task, listener);
                if (error != Errno.EAGAIN)
                {
                    return error;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return Errno.EAGAIN;
                    case BlockOutcome.Interrupted:
                        return SocketIo.Interrupted(timeoutNs);
                }
            }
        }
        finally
        {
            listener.BacklogQueue.Remove(task.Waiter);
        }
    }

    /// <inheritdoc/>
    public override IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request)
    {
        Channel? outgoing = Volatile.Read(ref _outgoing);
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (request.Destination.Length > 0 && Type == SOCK_STREAM)
        {
            return outgoing is null ? Errno.EOPNOTSUPP : Errno.EISCONN;
        }

        if (outgoing is null)
        {
            return Errno.ENOTCONN;
        }

        if (Type == SOCK_SEQPACKET && source.Remaining > Options.SendBufferBytes - 32)
        {
            return Errno.EMSGSIZE;
        }

        SocketCredentials? credentials = request.Credentials;
        if (credentials is null && (Options.PassesCredentials || _peer!.Options.PassesCredentials))
        {
            credentials = SocketCredentials.RealOf(task);
        }

        IoResult result = outgoing.Send(ref source, ref request, credentials);
        return result.Error == Errno.EPIPE && Type == SOCK_STREAM ? Broken(task, request.Flags) : result;
    }

    /// <inheritdoc/>
    public override IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request)
    {
        Channel? incoming = Volatile.Read(ref _incoming);
        if (incoming is null)
        {
            return Type == SOCK_STREAM ? Errno.EINVAL : Errno.ENOTCONN;
        }

        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        IoResult result = incoming.Receive(ref destination, ref request);
        bool isEmpty = result.WouldBlock || (result.Count == 0 && destination.Remaining > 0);
        if (isEmpty && Options.HasError)
        {
            Errno error = Options.TakeError();
            return error != Errno.None ? error : result;
        }

        request.Credentials = !Options.PassesCredentials || result.IsError || isEmpty ? null : request.Credentials ?? SocketCredentials.Unknown;
        if (Type == SOCK_SEQPACKET && result.Count > 0)
        {
            request.ResultFlags |= MSG_EOR;
        }

        return result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents events = Options.HasError ? PollEvents.Err : PollEvents.None;
        if (Volatile.Read(ref _incoming) is { } incoming && Volatile.Read(ref _outgoing) is { } outgoing)
        {
            events |= incoming.ReadReadiness() | outgoing.WriteReadiness();
            bool receives = !incoming.IsWriterShut && !incoming.IsReaderShut;
            bool sends = !outgoing.IsWriterShut && !outgoing.IsReaderShut;
            events |= receives || sends ? PollEvents.None : PollEvents.Hup;
        }
        else if (IsListening)
        {
            lock (States)
            {
                events |= _backlog!.Count > 0 ? PollEvents.AllIn : PollEvents.None;
            }
        }
        else
        {
            events |= PollEvents.AllOut | PollEvents.Hup;
        }

        return events & (mask | PollEvents.Err | PollEvents.Hup);
    }

    /// <inheritdoc/>
    public override Errno Shutdown(bool reading, bool writing)
    {
        if (Volatile.Read(ref _incoming) is { } incoming && Volatile.Read(ref _outgoing) is { } outgoing)
        {
            if (reading)
            {
                incoming.ShutReader();
            }

            if (writing)
            {
                outgoing.ShutWriter();
            }
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno GetPeerName(out SocketAddress address)
    {
        UnixConnectionSocket? peer = Volatile.Read(ref _peer);
        address = UnixName.ToAddress(peer?.Name);
        return peer is null ? Errno.ENOTCONN : Errno.None;
    }

    /// <inheritdoc/>
    internal override void CollectRights(List<FileDescription> found)
    {
        Volatile.Read(ref _incoming)?.CollectRights(found);
        lock (States)
        {
            if (_backlog is not null)
            {
                foreach (UnixConnectionSocket embryo in _backlog)
                {
                    embryo._incoming?.CollectRights(found);
                }
            }
        }
    }

    /// <inheritdoc/>
    internal override void Purge()
    {
        _ = Volatile.Read(ref _incoming)?.Abandon();
        DropBacklog();
    }

    /// <inheritdoc/>
    protected override void OnBufferChanged() => Volatile.Read(ref _outgoing)?.SetCapacity(Options.SendBufferBytes);

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        bool isEmbryo;
        lock (States)
        {
            _isClosed = true;
            isEmbryo = _isEmbryo;
        }

        DropBacklog();
        if (_incoming is not null)
        {
            // The peer is told before it is woken: bytes of its that nobody read are a broken connection, not an end.
            if (_incoming.Count > 0 || isEmbryo)
            {
                _peer!.Options.SetError(Errno.ECONNRESET);
            }

            _ = _incoming.Abandon();
            _outgoing!.ShutWriter();
        }

        base.OnRelease();
    }

    [RequiresLock(nameof(States))]
    private static void LinkLocked(UnixConnectionSocket a, UnixConnectionSocket b)
    {
        Channel toB = a.MakeChannel(b);
        Channel toA = b.MakeChannel(a);
        (a._peer, b._peer) = (b, a);
        (a._peerCredentials, b._peerCredentials) = (b._ownCredentials, a._ownCredentials);
        Volatile.Write(ref a._outgoing, toB);
        Volatile.Write(ref b._outgoing, toA);
        Volatile.Write(ref a._incoming, toA);
        Volatile.Write(ref b._incoming, toB);
    }

    private Channel MakeChannel(UnixConnectionSocket receiver)
    {
        Channel channel = Type == SOCK_STREAM ? new StreamChannel(Options.SendBufferBytes) : new PacketChannel(Options.SendBufferBytes);
        channel.ReaderQueue = receiver.Queue;
        channel.WriterQueue = Queue;
        return channel;
    }

    private Errno TryConnect(Task task, UnixConnectionSocket listener)
    {
        lock (States)
        {
            if (_incoming is not null)
            {
                return Errno.EISCONN;
            }

            if (_backlog is not null)
            {
                return Errno.EINVAL;
            }

            if (listener._backlog is null || listener._isClosed)
            {
                return Errno.ECONNREFUSED;
            }

            if (listener._backlog.Count > listener._backlogLimit)
            {
                return Errno.EAGAIN;
            }

            UnixConnectionSocket server = new(task.Credentials, listener.Network, Type, OpenFlags.ReadOnly)
            {
                Name = listener.Name,
                _isEmbryo = true,
                _ownCredentials = listener._ownCredentials,
            };
            server.Options.PassesCredentials = listener.Options.PassesCredentials;
            _ownCredentials = SocketCredentials.Of(task);
            LinkLocked(this, server);
            listener._backlog.Enqueue(server);
        }

        listener.Queue.Notify(PollEvents.AllIn);
        return Errno.None;
    }

    private void DropBacklog()
    {
        UnixConnectionSocket[] waiting;
        lock (States)
        {
            waiting = _backlog is null ? [] : [.. _backlog];
            _backlog?.Clear();
        }

        BacklogQueue.NotifyAll(PollEvents.Hup);
        SocketIo.DropRights(waiting);
    }
}
