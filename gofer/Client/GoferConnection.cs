// SPDX-License-Identifier: Apache-2.0
using System.Text;
using System.Threading;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Client;

/// <summary>
/// The Sentry's end of a mount's connection. Any thread may call; a caller waits for its own reply. The first waiting
/// caller receives for all (it hands other callers' replies over by swapping buffers), so a lone caller pays two host
/// calls and no switch between threads.
/// </summary>
/// <remarks>
/// Lock order: <c>_exchangeLock</c> and <c>_receiveLock</c> are leaves, never held together, and neither is held across a host call.
/// A connection that broke (the gofer died, or answered what is no answer) answers EIO to everything.
/// </remarks>
public sealed partial class GoferConnection : IDisposable
{
    private readonly int _socket;
    private readonly FidAllocator _fids = new();

    private readonly Lock _exchangeLock = new();
    [GuardedBy(nameof(_exchangeLock))]
    private Exchange[] _exchanges = [];

    private readonly object _receiveLock = new();
    [GuardedBy(nameof(_receiveLock))]
    private bool _isReceiving;
    [GuardedBy(nameof(_receiveLock))]
    private int _waiterCount;

    private volatile bool _isBroken;
    private bool _isClosed;
    private int _messageSize;

    private GoferConnection(int socket) => _socket = socket;

    /// <summary>Whether the connection broke.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>The most bytes of one read or write.</summary>
    public int LongestPayload => Math.Min(NinePLimits.MaxIo, _messageSize - 64);

    /// <summary>Begins the protocol on a socket.</summary>
    /// <param name="socket">A connected SOCK_SEQPACKET socket; the connection closes it, whatever comes of this.</param>
    /// <param name="connection">The connection.</param>
    [BeforeFilter("connections are opened while the mounts are made")]
    public static HostErrno Open(int socket, out GoferConnection? connection)
    {
        GoferConnection made = new(socket);
        int longest = DatagramRoom.Ensure(socket, NinePLimits.MaxMessage);
        Exchange exchange = made.Rent();
        int length = new VersionRequest { Msize = (uint)longest, Version = NinePLimits.Version }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = made.Call(exchange, length, MessageType.RVersion, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            bool fits = VersionReply.TryDecode(body, out VersionReply reply) && reply.Msize <= (uint)longest && reply.Version.SequenceEqual(NinePLimits.Version);
            made._messageSize = fits ? (int)reply.Msize : 0;
            error = fits ? HostErrno.None : HostErrno.EPROTO;
        }

        made.Return(exchange);
        if (error != HostErrno.None)
        {
            made.Dispose();
        }

        connection = error == HostErrno.None ? made : null;
        return error;
    }

    /// <summary>Ends the connection; every fid goes with it. No call may be under way.</summary>
    public void Dispose()
    {
        _isBroken = true;
        if (!Interlocked.Exchange(ref _isClosed, true))
        {
            _ = HostCalls.Close(_socket);
        }
    }

    private Exchange Rent()
    {
        lock (_exchangeLock)
        {
            foreach (Exchange exchange in _exchanges)
            {
                if (!exchange.IsRented)
                {
                    exchange.IsRented = true;
                    return exchange;
                }
            }

            Exchange added = new((ushort)_exchanges.Length) { IsRented = true };
            _exchanges = [.. _exchanges, added];
            return added;
        }
    }

    private void Return(Exchange exchange)
    {
        lock (_exchangeLock)
        {
            exchange.IsRented = false;
        }
    }

    // Sends the request and waits for its reply. The body lives in the exchange; it is gone when that is returned.
    private HostErrno Call(Exchange exchange, int length, MessageType expected, out ReadOnlySpan<byte> body)
    {
        body = default;
        exchange.IsDone = false;
        exchange.Fd = -1;
        exchange.ReplyLength = 0;
        if (_isBroken)
        {
            return HostErrno.EIO;
        }

        HostResult sent;
        do
        {
            sent = DescriptorMessage.Send(_socket, exchange.Request.AsSpan(0, length), default);
        }
        while (sent.Error == HostErrno.EINTR);

        if (sent.IsError)
        {
            _isBroken = true;
            return HostErrno.EIO;
        }

        Await(exchange);
        if (!Frame.TrySplit(exchange.Reply.AsSpan(0, exchange.ReplyLength), out byte type, out _, out ReadOnlySpan<byte> received))
        {
            return HostErrno.EIO;
        }

        if (type == (byte)expected)
        {
            body = received;
            return HostErrno.None;
        }

        CloseDonated(exchange);
        return type == (byte)MessageType.RLerror && LerrorReply.TryDecode(received, out LerrorReply error) && error.Ecode is > 0 and < 4096
            ? (HostErrno)error.Ecode
            : HostErrno.EIO;
    }

    private void Await(Exchange mine)
    {
        lock (_receiveLock)
        {
            while (!mine.IsDone)
            {
                if (_isReceiving)
                {
                    _waiterCount++;
                    _ = Monitor.Wait(_receiveLock);
                    _waiterCount--;
                    continue;
                }

                _isReceiving = true;
                Monitor.Exit(_receiveLock);
                HostResult received = Receive(mine, out int fd);
                Monitor.Enter(_receiveLock);
                _isReceiving = false;
                DeliverLocked(mine, received, fd);
            }

            if (_waiterCount > 0)
            {
                // Somebody else has to receive now, or has its reply.
                Monitor.PulseAll(_receiveLock);
            }
        }
    }

    private HostResult Receive(Exchange mine, out int fd)
    {
        Span<int> fds = stackalloc int[NinePLimits.MaxDonatedFds];
        HostResult received;
        int count;
        do
        {
            received = DescriptorMessage.Receive(_socket, mine.Reply, fds, out count);
        }
        while (received.Error == HostErrno.EINTR);

        fd = count > 0 ? fds[0] : -1;
        return received;
    }

    [RequiresLock(nameof(_receiveLock))]
    private void DeliverLocked(Exchange mine, HostResult received, int fd)
    {
        Exchange? owner = null;
        if (!received.IsError && Frame.TrySplit(mine.Reply.AsSpan(0, received.Int), out _, out ushort tag, out _))
        {
            Exchange[] all = Volatile.Read(ref _exchanges);
            owner = tag < all.Length ? all[tag] : null;
        }

        if (owner is null || owner.IsDone)
        {
            // The end of the socket, or an answer that nobody asked for: nothing after it can be trusted.
            _isBroken = true;
            if (fd >= 0)
            {
                _ = HostCalls.Close(fd);
            }

            mine.ReplyLength = 0;
            mine.IsDone = true;
            return;
        }

        if (owner != mine)
        {
            (owner.Reply, mine.Reply) = (mine.Reply, owner.Reply);
        }

        owner.ReplyLength = received.Int;
        owner.Fd = fd;
        owner.IsDone = true;
        if (owner != mine)
        {
            Monitor.PulseAll(_receiveLock);
        }
    }

    private static void CloseDonated(Exchange exchange)
    {
        if (exchange.Fd >= 0)
        {
            _ = HostCalls.Close(exchange.Fd);
            exchange.Fd = -1;
        }
    }

    // Latin-1: one byte for each char.
    private static ReadOnlySpan<byte> Bytes(string text, Span<byte> scratch) => scratch[..Encoding.Latin1.GetBytes(text, scratch)];
}
