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

namespace CVisor.Sockets.Inet;

/// <summary>The states of a TCP socket, by the numbers that TCP_INFO and /proc/net/tcp show.</summary>
internal enum TcpState
{
    Established = 1, SynSent = 2, FinWait1 = 4, FinWait2 = 5, Closed = 7, CloseWait = 8, LastAck = 9, Listen = 10,
}

/// <summary>A TCP socket (tcp(7)) on the loopback.</summary>
/// <remarks>
/// A connection is two channels. The server's socket is made when the client connects; when the backlog is full the client waits in the listener's line and is connected as
/// soon as there is room. States are guarded by the stack's lock; data moves without it.
/// </remarks>
internal sealed partial class TcpSocket : InetSocket
{
    /// <summary>The default sizes of buffers in bytes (net.ipv4.tcp_rmem, tcp_wmem); as on Linux a connection that nobody tuned has more.</summary>
    private const int DefaultReceiveBytes = 131072, DefaultSendBytes = 16384, UntunedBytes = 512 * 1024;

    [GuardedBy("Stack.Lock")]
    private readonly Queue<TcpSocket> _accepted = new();
    [GuardedBy("Stack.Lock")]
    private readonly Queue<TcpSocket> _waiting = new();
    [GuardedBy("Stack.Lock")]
    private int _backlogLimit;
    private volatile TcpState _state = TcpState.Closed;
    private volatile bool _wasConnected;
    private volatile bool _isReceivingShut;
    private volatile bool _isBuffersSet;
    private bool _reportsConnect;
    private bool _isFresh;
    private Channel? _incoming;
    private Channel? _outgoing;
    private TcpSocket? _peer;

    internal TcpSocket(UserCredentials owner, NetworkNamespace network, int family, OpenFlags flags)
        : base(owner, network, family, SOCK_STREAM, IPPROTO_TCP, flags)
    {
        Options.ReceiveBufferBytes = DefaultReceiveBytes;
        Options.SendBufferBytes = DefaultSendBytes;
    }

    /// <summary>The state, as others name it.</summary>
    internal TcpState State
    {
        get
        {
            TcpState state = _state;
            if (state != TcpState.Established)
            {
                return state;
            }

            bool isPeerDone = _incoming!.IsWriterShut;
            bool isDone = _outgoing!.IsWriterShut;
            return isDone ? (isPeerDone ? TcpState.Closed : TcpState.FinWait2) : isPeerDone ? TcpState.CloseWait : TcpState.Established;
        }
    }

    /// <inheritdoc/>
    public override bool IsListening => _state == TcpState.Listen;

    /// <inheritdoc/>
    public override int ReadableBytes => _state == TcpState.Listen ? -1 : Volatile.Read(ref _incoming)?.Count ?? 0;

    /// <inheritdoc/>
    [RequiresLock("Stack.Lock")]
    private protected override PortTable Ports => Stack.Tcp;

    /// <inheritdoc/>
    private protected override bool HasPeerLocked => _state == TcpState.Established;

    /// <inheritdoc/>
    public override Errno Listen(Task task, int backlog)
    {
        lock (Stack.Lock)
        {
            if (_state is not (TcpState.Closed or TcpState.Listen) || _wasConnected)
            {
                return Errno.EINVAL;
            }

            _backlogLimit = (int)Math.Min(unchecked((uint)backlog), 4096);
            if (_state == TcpState.Listen)
            {
                return Errno.None;
            }

            if (Local.Port == 0)
            {
                Errno error = BindLocked(new InetEndpoint(AnyAddress, 0));
                if (error != Errno.None)
                {
                    return error;
                }
            }
            else if (Stack.Tcp.HasConflict(this, Local))
            {
                return Errno.EADDRINUSE;
            }

            _state = TcpState.Listen;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno Accept(OpenFlags flags, out SocketDescription? accepted)
    {
        accepted = null;
        lock (Stack.Lock)
        {
            if (_state != TcpState.Listen)
            {
                return Errno.EINVAL;
            }

            if (!_accepted.TryDequeue(out TcpSocket? first))
            {
                return Errno.EAGAIN;
            }

            first._isFresh = false;
            first.SetStatusFlags(flags & OpenFlags.NonBlock);
            accepted = first;
            while (_accepted.Count <= _backlogLimit && _waiting.TryDequeue(out TcpSocket? next))
            {
                if (next._state == TcpState.SynSent)
                {
                    EstablishLocked(next, next.Remote);
                    next.Queue.Notify(PollEvents.AllOut);
                }
            }

            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request)
    {
        if ((request.Flags & (MSG_OOB | MSG_FASTOPEN)) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (Volatile.Read(ref _outgoing) is not { } outgoing)
        {
            return _state == TcpState.SynSent ? Errno.EAGAIN : Broken(task, request.Flags);
        }

        if (Options.HasError)
        {
            Errno pending = Options.TakeError();
            if (pending is not (Errno.None or Errno.EPIPE))
            {
                return pending;
            }
        }

        IoResult result = outgoing.Send(ref source, ref request, null);
        if (result.Error != Errno.EPIPE)
        {
            return result;
        }

        // The peer is closed, but this side only finds out by sending: the first bytes are lost, and a reset comes back.
        if (!outgoing.IsWriterShut && _state == TcpState.Established && !_isReset)
        {
            long lost = source.Remaining;
            source.Advance(lost);
            TakeReset(Errno.EPIPE);
            return lost;
        }

        return Broken(task, request.Flags);
    }

    /// <inheritdoc/>
    public override IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            // There is never urgent data.
            return Errno.EINVAL;
        }

        if ((request.Flags & MSG_ERRQUEUE) != 0)
        {
            return Errno.EAGAIN;
        }

        if (Volatile.Read(ref _incoming) is not { } incoming)
        {
            Errno failed = Options.HasError ? Options.TakeError() : Errno.None;
            return failed != Errno.None ? failed : _state == TcpState.SynSent ? Errno.EAGAIN : Errno.ENOTCONN;
        }

        IoResult result = incoming.Receive(ref destination, ref request);
        if (result.Count > 0 || (result.IsError && !result.WouldBlock))
        {
            return result;
        }

        if (Options.HasError)
        {
            Errno error = Options.TakeError();
            if (error is not (Errno.None or Errno.EPIPE))
            {
                return error;
            }
        }

        return result.WouldBlock && _isReceivingShut ? 0 : result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents events = Options.HasError ? PollEvents.Err : PollEvents.None;
        switch (_state)
        {
            case TcpState.Listen:
                lock (Stack.Lock)
                {
                    events |= _accepted.Count > 0 ? PollEvents.AllIn : PollEvents.None;
                }

                break;
            case TcpState.SynSent:
                break;
            default:
                if (Volatile.Read(ref _incoming) is not { } incoming || Volatile.Read(ref _outgoing) is not { } outgoing)
                {
                    events |= PollEvents.AllOut | PollEvents.Hup | (Options.HasError ? PollEvents.AllIn | PollEvents.RdHup : PollEvents.None);
                    break;
                }

                events |= incoming.ReadReadiness() | outgoing.WriteReadiness();
                bool receives = !incoming.IsWriterShut && !_isReceivingShut;
                events |= receives ? PollEvents.None : PollEvents.AllIn | PollEvents.RdHup;
                events |= _isReset ? PollEvents.AllOut | PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup : PollEvents.None;
                events |= !receives && outgoing.IsWriterShut ? PollEvents.Hup : PollEvents.None;
                break;
        }

        return events & (mask | PollEvents.Err | PollEvents.Hup);
    }

    /// <inheritdoc/>
    public override Errno Shutdown(bool reading, bool writing)
    {
        switch (_state)
        {
            case TcpState.Listen:
                if (reading)
                {
                    StopListening();
                }

                return Errno.None;
            case TcpState.Established:
                if (reading)
                {
                    _isReceivingShut = true;
                    Queue.NotifyAll(PollEvents.AllIn | PollEvents.RdHup);
                }

                if (writing)
                {
                    _outgoing!.ShutWriter();
                }

                return Errno.None;
            default:
                return Errno.ENOTCONN;
        }
    }

    /// <inheritdoc/>
    protected override void OnBufferChanged()
    {
        _isBuffersSet = true;
        SizeChannels();
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        if (_state == TcpState.Listen)
        {
            StopListening();
        }

        CloseConnection(_isFresh || Options is { Lingers: true, LingerSeconds: 0 });
        lock (Stack.Lock)
        {
            _state = TcpState.Closed;
            UnbindLocked();
        }
    }
}
