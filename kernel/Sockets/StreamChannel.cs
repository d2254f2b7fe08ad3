// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>One direction of a connected byte stream: what one socket sends and another receives. Shared by Unix streams and loopback TCP.</summary>
/// <remarks>
/// Lock order: <c>_lock</c>, then the memory manager (copies). Queues are told, and descriptions dropped, after the lock is released. What travels beside the bytes hangs at
/// the position of the first byte that it was sent with; a receive stops before the next such position.
/// </remarks>
internal sealed class StreamChannel(int capacityBytes) : Channel
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly ByteQueue _data = new();
    [GuardedBy(nameof(_lock))]
    private List<Mark>? _marks;
    [GuardedBy(nameof(_lock))]
    private long _readPosition;
    [GuardedBy(nameof(_lock))]
    private bool _writerStalled;
    [GuardedBy(nameof(_lock))]
    private bool _isWriterShut;
    [GuardedBy(nameof(_lock))]
    private bool _isReaderShut;
    [GuardedBy(nameof(_lock))]
    private int _capacity = capacityBytes;

    /// <summary>Bytes that were sent and not received.</summary>
    internal override int Count
    {
        get
        {
            lock (_lock)
            {
                return _data.Count;
            }
        }
    }

    /// <summary>Whether nothing more will come: the writer shut down or closed.</summary>
    internal override bool IsWriterShut
    {
        get
        {
            lock (_lock)
            {
                return _isWriterShut;
            }
        }
    }

    /// <summary>Whether what is sent reaches nobody.</summary>
    internal override bool IsReaderShut
    {
        get
        {
            lock (_lock)
            {
                return _isReaderShut;
            }
        }
    }

    /// <summary>Sets how much may wait here, in bytes.</summary>
    internal override void SetCapacity(int bytes)
    {
        lock (_lock)
        {
            _capacity = Math.Max(1, bytes);
        }

        WriterQueue?.Notify(PollEvents.AllOut);
    }

    /// <inheritdoc/>
    [NoAlloc]
    internal override IoResult Send(ref IoBuffer source, ref SendRequest request, SocketCredentials? credentials)
    {
        if (request.Rights is null)
        {
            return Append(ref source, ref request.Rights, credentials);
        }

        lock (Unix.InFlight.Gate)
        {
            return Append(ref source, ref request.Rights, credentials);
        }
    }

    /// <inheritdoc/>
    [NoAlloc]
    internal override IoResult Receive(ref IoBuffer destination, ref ReceiveRequest request)
    {
        FileDescription[]? dropped = null;
        if (!TryTake(ref destination, ref request, isGateHeld: false, ref dropped, out IoResult result, out bool tellWriter))
        {
            // Descriptions are next: they are taken with the gate held, which comes before this channel's lock.
            lock (Unix.InFlight.Gate)
            {
                _ = TryTake(ref destination, ref request, isGateHeld: true, ref dropped, out result, out tellWriter);
            }

            SocketIo.DropRights(dropped);
        }

        if (tellWriter)
        {
            WriterQueue?.Notify(PollEvents.AllOut);
        }

        return result;
    }

    /// <summary>What poll(2) says of the receiving side.</summary>
    internal override PollEvents ReadReadiness()
    {
        lock (_lock)
        {
            PollEvents events = _data.Count > 0 ? PollEvents.AllIn : PollEvents.None;
            return _isWriterShut || _isReaderShut ? events | PollEvents.AllIn | PollEvents.RdHup : events;
        }
    }

    /// <summary>What poll(2) says of the sending side.</summary>
    internal override PollEvents WriteReadiness()
    {
        lock (_lock)
        {
            if (_isWriterShut || _isReaderShut || IsRoomyLocked())
            {
                return PollEvents.AllOut;
            }

            // Who was told that there is no room waits to hear of some, also when all that it sent so far fitted.
            _writerStalled = true;
            return PollEvents.None;
        }
    }

    /// <summary>The writer sends no more: what is there can still be received.</summary>
    internal override void ShutWriter()
    {
        lock (_lock)
        {
            _isWriterShut = true;
        }

        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <summary>The reader takes no more.</summary>
    internal override void ShutReader()
    {
        lock (_lock)
        {
            _isReaderShut = true;
        }

        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <summary>Both ends are done with: drops what is there.</summary>
    /// <returns>Whether bytes were lost.</returns>
    internal override bool Abandon()
    {
        List<FileDescription> rights = [];
        bool lost;
        lock (Unix.InFlight.Gate)
        {
            lock (_lock)
            {
                _isReaderShut = true;
                lost = _data.Count > 0;
                _data.Clear();
                foreach (Mark mark in _marks ?? [])
                {
                    Unix.InFlight.Remove(mark.Rights);
                    rights.AddRange(mark.Rights ?? []);
                }

                _marks = null;
            }
        }

        SocketIo.DropRights([.. rights]);
        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
        return lost;
    }

    /// <summary>Adds the descriptions that travel here, for the collector of cycles.</summary>
    internal override void CollectRights(List<FileDescription> found)
    {
        lock (_lock)
        {
            if (_marks is not null)
            {
                foreach (Mark mark in _marks)
                {
                    if (mark.Rights is not null)
                    {
                        found.AddRange(mark.Rights);
                    }
                }
            }
        }
    }

    private IoResult Append(ref IoBuffer source, ref FileDescription[]? rights, SocketCredentials? credentials)
    {
        int moved;
        lock (_lock)
        {
            if (_isReaderShut || _isWriterShut)
            {
                return Errno.EPIPE;
            }

            if (source.Remaining == 0)
            {
                return 0;
            }

            int room = _capacity - _data.Count;
            if (room <= 0)
            {
                _writerStalled = true;
                return Errno.EAGAIN;
            }

            long position = _readPosition + _data.Count;
            Errno error = _data.Append(ref source, room, out moved);
            _writerStalled |= source.Remaining > 0;
            if (moved == 0)
            {
                return error;
            }

            if (rights is not null || credentials is not null || _marks is not null)
            {
                MarkLocked(position, ref rights, credentials);
            }
        }

        ReaderQueue?.Notify(PollEvents.AllIn);
        return moved;
    }

    /// <summary>Takes what is there, up to where something else travels beside the bytes; false when the gate is needed for that.</summary>
    private bool TryTake(ref IoBuffer destination, ref ReceiveRequest request, bool isGateHeld, ref FileDescription[]? dropped, out IoResult result, out bool tellWriter)
    {
        bool isPeek = (request.Flags & MSG_PEEK) != 0;
        tellWriter = false;
        lock (_lock)
        {
            if (_data.Count == 0)
            {
                result = _isWriterShut || _isReaderShut ? 0 : Errno.EAGAIN;
                return true;
            }

            int limit = int.MaxValue;
            Mark? mark = _marks is null ? null : MarkHereLocked(out limit);
            if (mark?.Rights is not null && !isGateHeld)
            {
                result = default;
                return false;
            }

            int moved;
            Errno error = isPeek ? _data.Peek(ref destination, 0, limit, out moved) : TakeLocked(ref destination, limit, out moved);
            result = moved > 0 ? moved : error;
            if (moved == 0)
            {
                return true;
            }

            dropped = mark is null ? null : DeliverLocked(mark, isPeek, ref request);
            if (_data.Count == 0)
            {
                _marks = null;
            }

            if (!isPeek && _writerStalled && IsRoomyLocked())
            {
                _writerStalled = false;
                tellWriter = true;
            }

            return true;
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool IsRoomyLocked() => (long)(_capacity - _data.Count) * 3 >= _capacity;

    [RequiresLock(nameof(_lock))]
    private Errno TakeLocked(ref IoBuffer destination, int limit, out int moved)
    {
        Errno error = _data.Take(ref destination, limit, out moved);
        _readPosition += moved;
        return error;
    }

    // Allocates, but only where descriptions or credentials travel.
    [RequiresLock(nameof(_lock))]
    private void MarkLocked(long position, ref FileDescription[]? rights, SocketCredentials? credentials)
    {
        Mark? last = _marks?[^1];
        if (rights is null && (last is null ? credentials is null : !last.HadRights && last.Credentials == credentials))
        {
            return;
        }

        (_marks ??= []).Add(new Mark(position, rights is not null, credentials) { Rights = rights });
#pragma warning disable CV3002 // Send holds the gate when there are rights.
        Unix.InFlight.Add(rights);
#pragma warning restore CV3002
        rights = null;
    }

    /// <summary>The mark that the next byte belongs to, and how far the bytes go that belong to it too.</summary>
    [RequiresLock(nameof(_lock))]
    private Mark? MarkHereLocked(out int limit)
    {
        limit = int.MaxValue;
        List<Mark> marks = _marks!;
        while (marks.Count > 1 && marks[1].Position <= _readPosition)
        {
            marks.RemoveAt(0);
        }

        if (marks[0].Position > _readPosition)
        {
            limit = (int)Math.Min(int.MaxValue, marks[0].Position - _readPosition);
            return null;
        }

        if (marks.Count > 1)
        {
            limit = (int)Math.Min(int.MaxValue, marks[1].Position - _readPosition);
        }

        return marks[0];
    }

    /// <summary>Hands what travelled over, or returns what nobody wants.</summary>
    [RequiresLock(nameof(_lock))]
    private static FileDescription[]? DeliverLocked(Mark mark, bool isPeek, ref ReceiveRequest request)
    {
        request.Credentials = mark.Credentials;
        FileDescription[]? rights = mark.Rights;
        if (rights is null || (isPeek && !request.WantsControl))
        {
            return null;
        }

        if (isPeek)
        {
            foreach (FileDescription file in rights)
            {
                file.Reference();
            }

            request.Rights = rights;
            return null;
        }

        mark.Rights = null;
#pragma warning disable CV3002 // TryTake comes here with rights only when its caller holds the gate (isGateHeld).
        Unix.InFlight.Remove(rights);
#pragma warning restore CV3002
        if (request.WantsControl)
        {
            request.Rights = rights;
            return null;
        }

        return rights;
    }

    /// <summary>What travels with the bytes from a position on.</summary>
    private sealed class Mark(long position, bool hadRights, SocketCredentials? credentials)
    {
        internal long Position { get; } = position;

        internal bool HadRights { get; } = hadRights;

        internal SocketCredentials? Credentials { get; } = credentials;

        internal FileDescription[]? Rights { get; set; }
    }
}
