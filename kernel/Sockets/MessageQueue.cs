// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>The messages that wait for one receiver.</summary>
/// <remarks>Lock order: <c>_lock</c>, then the memory manager. Queues are told, and descriptions dropped, after it is released.</remarks>
internal sealed class MessageQueue
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private Message? _first;
    [GuardedBy(nameof(_lock))]
    private Message? _last;
    [GuardedBy(nameof(_lock))]
    private int _count;
    [GuardedBy(nameof(_lock))]
    private long _weightBytes;
    [GuardedBy(nameof(_lock))]
    private bool _isWriterShut;
    [GuardedBy(nameof(_lock))]
    private bool _isReaderShut;

    /// <summary>The receiver's queue.</summary>
    internal WaitQueue? ReaderQueue { get; set; }

    /// <summary>Told when there is room again.</summary>
    internal WaitQueue SenderQueue { get; } = new();

    /// <summary>What may wait here.</summary>
    internal long CapacityBytes { get; set; } = SocketOptions.DefaultBufferBytes;

    /// <summary>How many messages may wait here.</summary>
    internal int MaximumMessages { get; set; } = int.MaxValue;

    /// <summary>The length of the first message (FIONREAD); 0 when there is none.</summary>
    internal int FirstLength
    {
        get
        {
            lock (_lock)
            {
                return _first?.Length ?? 0;
            }
        }
    }

    /// <summary>Whether there is nothing to receive.</summary>
    internal bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _first is null;
            }
        }
    }

    /// <summary>Whether nothing more is taken.</summary>
    internal bool IsReaderShut
    {
        get
        {
            lock (_lock)
            {
                return _isReaderShut;
            }
        }
    }

    /// <summary>Whether nothing more comes.</summary>
    internal bool IsWriterShut
    {
        get
        {
            lock (_lock)
            {
                return _isWriterShut;
            }
        }
    }

    /// <summary>Whether a message finds room.</summary>
    internal bool HasRoom
    {
        get
        {
            lock (_lock)
            {
                return HasRoomLocked(ignoresCount: false);
            }
        }
    }

    /// <summary>Appends a message of all that a buffer holds.</summary>
    /// <param name="source">The bytes; untouched when there is no room.</param>
    /// <param name="request">What goes with them; rights are set to null when they were taken.</param>
    /// <param name="from">Who sends, as the receiver will see it.</param>
    /// <param name="credentials">The sender, where somebody asks for it.</param>
    /// <param name="ignoresCount">Whether only bytes limit (a connected pair).</param>
    /// <returns>Bytes; EAGAIN; EPIPE; EFAULT.</returns>
    internal IoResult Send(ref IoBuffer source, ref SendRequest request, in SocketAddress from, SocketCredentials? credentials, bool ignoresCount)
    {
        // Asked before the copy, so that a sender that has to wait copies once.
        Errno state = State(ignoresCount);
        if (state != Errno.None)
        {
            return state;
        }

        IoBuffer attempt = source;
        Errno error = Message.Create(ref attempt, out Message message);
        if (error != Errno.None)
        {
            return error;
        }

        message.Source = from;
        message.Credentials = credentials;
        message.Rights = request.Rights;
        int length = message.Length;
        error = Add(message, ignoresCount);
        if (error != Errno.None)
        {
            message.Rights = null;
            message.Free();
            return error;
        }

        request.Rights = null;
        source = attempt;
        return length;
    }

    /// <summary>Appends a message. One that is refused stays the caller's.</summary>
    /// <returns>None; EAGAIN when there is no room; EPIPE when nothing is taken any more.</returns>
    internal Errno Add(Message message, bool ignoresCount)
    {
        Errno error;
        if (message.Rights is null)
        {
            error = Append(message, ignoresCount);
        }
        else
        {
            lock (Unix.InFlight.Gate)
            {
                error = Append(message, ignoresCount);
                Unix.InFlight.Add(error == Errno.None ? message.Rights : null);
            }
        }

        if (error == Errno.None)
        {
            ReaderQueue?.Notify(PollEvents.AllIn);
        }

        return error;
    }

    /// <summary>Takes the first message into a buffer; what does not fit is lost.</summary>
    /// <returns>The bytes copied (with MSG_TRUNC, the message's length); 0 when nothing more comes; EAGAIN; EFAULT.</returns>
    internal IoResult Receive(ref IoBuffer destination, ref ReceiveRequest request)
    {
        FileDescription[]? dropped = null;
        if (!TryTake(ref destination, ref request, isGateHeld: false, ref dropped, out Message? taken, out IoResult result))
        {
            lock (Unix.InFlight.Gate)
            {
                _ = TryTake(ref destination, ref request, isGateHeld: true, ref dropped, out taken, out result);
            }

            SocketIo.DropRights(dropped);
        }

        if (taken is not null)
        {
            taken.Free();
            SenderQueue.Notify(PollEvents.AllOut);
        }

        return result;
    }

    /// <summary>What poll(2) says of the receiving side.</summary>
    internal PollEvents ReadReadiness()
    {
        lock (_lock)
        {
            PollEvents events = _first is not null ? PollEvents.AllIn : PollEvents.None;
            return _isWriterShut || _isReaderShut ? events | PollEvents.AllIn | PollEvents.RdHup : events;
        }
    }

    /// <summary>Nothing more comes.</summary>
    internal void ShutWriter()
    {
        lock (_lock)
        {
            _isWriterShut = true;
        }

        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        SenderQueue.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <summary>Nothing more is taken.</summary>
    internal void ShutReader()
    {
        lock (_lock)
        {
            _isReaderShut = true;
        }

        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        SenderQueue.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <summary>The receiver is gone: drops what is there.</summary>
    /// <returns>Whether something was lost.</returns>
    internal bool Abandon()
    {
        List<FileDescription> rights = [];
        Message? list;
        lock (Unix.InFlight.Gate)
        {
            lock (_lock)
            {
                _isReaderShut = true;
                list = _first;
                _first = null;
                _last = null;
                _count = 0;
                _weightBytes = 0;
            }

            for (Message? message = list; message is not null; message = message.Next)
            {
                Unix.InFlight.Remove(message.Rights);
                rights.AddRange(message.Rights ?? []);
            }
        }

        bool lost = list is not null;
        while (list is not null)
        {
            Message next = list;
            list = list.Next;
            next.Free();
        }

        SocketIo.DropRights([.. rights]);
        ReaderQueue?.NotifyAll(PollEvents.AllIn | PollEvents.RdHup | PollEvents.Hup);
        SenderQueue.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
        return lost;
    }

    /// <summary>Adds the descriptions that travel here, for the collector of cycles.</summary>
    internal void CollectRights(List<FileDescription> found)
    {
        lock (_lock)
        {
            for (Message? message = _first; message is not null; message = message.Next)
            {
                if (message.Rights is not null)
                {
                    found.AddRange(message.Rights);
                }
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool HasRoomLocked(bool ignoresCount) => (ignoresCount || _count < MaximumMessages) && (_first is null || _weightBytes < CapacityBytes);

    [RequiresLock(nameof(_lock))]
    private Errno StateLocked(bool ignoresCount) => _isReaderShut || _isWriterShut ? Errno.EPIPE : HasRoomLocked(ignoresCount) ? Errno.None : Errno.EAGAIN;

    private Errno State(bool ignoresCount)
    {
        lock (_lock)
        {
            return StateLocked(ignoresCount);
        }
    }

    private Errno Append(Message message, bool ignoresCount)
    {
        lock (_lock)
        {
            Errno state = StateLocked(ignoresCount);
            if (state != Errno.None)
            {
                return state;
            }

            message.Next = null;
            if (_last is null)
            {
                _first = message;
            }
            else
            {
                _last.Next = message;
            }

            _last = message;
            _count++;
            _weightBytes += message.WeightBytes;
            return Errno.None;
        }
    }

    /// <summary>Takes the first message; false when it carries descriptions and the gate is needed.</summary>
    private bool TryTake(ref IoBuffer destination, ref ReceiveRequest request, bool isGateHeld, ref FileDescription[]? dropped, out Message? taken, out IoResult result)
    {
        bool isPeek = (request.Flags & MSG_PEEK) != 0;
        taken = null;
        lock (_lock)
        {
            if (_first is not { } message)
            {
                result = _isWriterShut || _isReaderShut ? 0 : Errno.EAGAIN;
                return true;
            }

            if (message.Rights is not null && !isGateHeld)
            {
                result = default;
                return false;
            }

            Errno error = destination.CopyOut(message.Data.Span, out int copied);
            result = error != Errno.None ? error : copied;
            if (copied < message.Length && error == Errno.None)
            {
                request.ResultFlags |= MSG_TRUNC;
                result = (request.Flags & MSG_TRUNC) != 0 ? message.Length : copied;
            }

            request.Source = message.Source;
            request.Destination = message.Destination;
            request.Traits = message.Traits;
            request.ArrivalNs = message.ArrivalNs;
            request.Credentials = message.Credentials;
            if (message.Rights is { } rights)
            {
                dropped = PassRights(rights, isPeek, request.WantsControl && error == Errno.None, ref request);
            }

            if (!isPeek)
            {
                RemoveFirstLocked();
                taken = message;
            }

            return true;
        }
    }

    /// <summary>Hands descriptions over; returns those that nobody takes. The gate is held.</summary>
    private static FileDescription[]? PassRights(FileDescription[] rights, bool isPeek, bool isWanted, ref ReceiveRequest request)
    {
        if (isPeek)
        {
            if (isWanted)
            {
                foreach (FileDescription file in rights)
                {
                    file.Reference();
                }

                request.Rights = rights;
            }

            return null;
        }

#pragma warning disable CV3002 // TryTake comes here only when its caller holds the gate (isGateHeld).
        Unix.InFlight.Remove(rights);
#pragma warning restore CV3002
        request.Rights = isWanted ? rights : null;
        return isWanted ? null : rights;
    }

    [RequiresLock(nameof(_lock))]
    private void RemoveFirstLocked()
    {
        Message first = _first!;
        _first = first.Next;
        if (_first is null)
        {
            _last = null;
        }

        first.Next = null;
        _count--;
        _weightBytes -= first.WeightBytes;
    }
}
