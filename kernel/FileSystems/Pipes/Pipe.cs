// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Pipes;

/// <summary>The buffer between writers and readers of a pipe or FIFO (pipe(7)).</summary>
/// <remarks>
/// <para>Lock order: <c>_lock</c>, then the memory manager (copies) or the lock of a file that data is spliced with; two pipes by <see cref="_order"/>. The queue is told after the lock is released.</para>
/// <para>Data is a byte queue; once a packet (O_DIRECT) was written, <c>_segments</c> tells where packets begin and end, until it is drained.</para>
/// </remarks>
public sealed partial class Pipe
{
    /// <summary>Writes of up to this many bytes are atomic.</summary>
    public const int AtomicBytes = 4096;

    /// <summary>The capacity of a new pipe in bytes.</summary>
    public const int DefaultCapacityBytes = 65536;

    /// <summary>The most that F_SETPIPE_SZ gives without CAP_SYS_RESOURCE (/proc/sys/fs/pipe-max-size).</summary>
    public const int MaximumCapacityBytes = 1 << 20;

    private static long s_lastOrder;
    private readonly long _order = Interlocked.Increment(ref s_lastOrder);
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly ByteQueue _data = new();
    [GuardedBy(nameof(_lock))]
    private Queue<Segment>? _segments;
    [GuardedBy(nameof(_lock))]
    private int _capacity = DefaultCapacityBytes;
    [GuardedBy(nameof(_lock))]
    private bool _writerStalled;

    private readonly record struct Segment(int Length, bool IsPacket);

    /// <summary>Waits for data, room and the ends' coming and going.</summary>
    public WaitQueue Queue { get; } = new();

    /// <summary>Descriptions open for reading.</summary>
    public int Readers { get; private set; }

    /// <summary>Descriptions open for writing.</summary>
    public int Writers { get; private set; }

    /// <summary>How often an end for reading was opened.</summary>
    public int ReaderOpens { get; private set; }

    /// <summary>How often an end for writing was opened.</summary>
    public int WriterOpens { get; private set; }

    /// <summary>Bytes in the pipe (FIONREAD).</summary>
    public int Available
    {
        get
        {
            lock (_lock)
            {
                return _data.Count;
            }
        }
    }

    /// <summary>The capacity in bytes (F_GETPIPE_SZ).</summary>
    public int CapacityBytes
    {
        get
        {
            lock (_lock)
            {
                return _capacity;
            }
        }
    }

    /// <summary>F_SETPIPE_SZ: rounds up to a power of two of pages.</summary>
    /// <param name="bytes">What was asked for.</param>
    /// <param name="isPrivileged">CAP_SYS_RESOURCE.</param>
    /// <returns>The capacity; EINVAL, EPERM, or EBUSY when more than that is in the pipe.</returns>
    public IoResult SetCapacity(uint bytes, bool isPrivileged)
    {
        if (bytes > 1U << 31)
        {
            return Errno.EINVAL;
        }

        long rounded = Math.Max(AtomicBytes, System.Numerics.BitOperations.RoundUpToPowerOf2(bytes));
        if (rounded > 1 << 30)
        {
            return Errno.ENOMEM;
        }

        bool grew;
        lock (_lock)
        {
            if (rounded > MaximumCapacityBytes && rounded > _capacity && !isPrivileged)
            {
                return Errno.EPERM;
            }

            if (rounded < _data.Count)
            {
                return Errno.EBUSY;
            }

            grew = rounded > _capacity;
            _capacity = (int)rounded;
        }

        if (grew)
        {
            Queue.Notify(PollEvents.AllOut);
        }

        return rounded;
    }

    /// <summary>Takes what is there, at most the buffer's length (and at most one packet).</summary>
    /// <returns>Bytes; 0 when there is no writer; EAGAIN; EFAULT.</returns>
    [NoAlloc]
    public IoResult Read(ref IoBuffer destination)
    {
        IoResult result;
        bool tellWriters;
        lock (_lock)
        {
            if (destination.Remaining == 0)
            {
                return 0;
            }

            if (_data.Count == 0)
            {
                return Writers == 0 ? 0 : Errno.EAGAIN;
            }

            bool wasFull = _writerStalled || _capacity - _data.Count < AtomicBytes;
            if (_segments is null)
            {
                Errno error = _data.Take(ref destination, int.MaxValue, out int moved);
                result = moved > 0 ? moved : error;
            }
            else
            {
                result = ReadSegmentsLocked(ref destination);
            }

            tellWriters = wasFull && !result.IsError;
            if (tellWriters)
            {
                _writerStalled = false;
            }
        }

        if (tellWriters)
        {
            Queue.Notify(PollEvents.AllOut);
        }

        return result;
    }

    /// <summary>Appends; all of it or nothing when it is at most <see cref="AtomicBytes"/> long, otherwise what fits.</summary>
    /// <param name="source">The data.</param>
    /// <param name="asPackets">O_DIRECT: each piece of up to <see cref="AtomicBytes"/> is read as one.</param>
    /// <returns>Bytes; EPIPE without a reader (the caller signals); EAGAIN; EFAULT.</returns>
    [NoAlloc]
    public IoResult Write(ref IoBuffer source, bool asPackets)
    {
        int total = 0;
        Errno error = Errno.None;
        lock (_lock)
        {
            if (Readers == 0)
            {
                return Errno.EPIPE;
            }

            long wanted = source.Remaining;
            if (wanted == 0)
            {
                return 0;
            }

            int room = _capacity - _data.Count;
            if (room <= 0 || (wanted <= AtomicBytes && room < wanted))
            {
                _writerStalled = true;
                return Errno.EAGAIN;
            }

            if (asPackets || _segments is not null)
            {
                error = WriteSegmentsLocked(ref source, room, asPackets, out total);
            }
            else
            {
                error = _data.Append(ref source, room, out total);
            }

            _writerStalled |= source.Remaining > 0;
        }

        if (total == 0)
        {
            return error;
        }

        Queue.Notify(PollEvents.AllIn);
        return total;
    }

    /// <summary>What poll(2) says of an end.</summary>
    /// <param name="isReader">Whether the end reads.</param>
    /// <param name="isWriter">Whether the end writes.</param>
    /// <param name="sawWriter">Whether a writer was there since the end was opened: without one an empty FIFO is not hung up yet.</param>
    public PollEvents Readiness(bool isReader, bool isWriter, bool sawWriter)
    {
        lock (_lock)
        {
            PollEvents events = PollEvents.None;
            if (isReader)
            {
                events |= _data.Count > 0 ? PollEvents.AllIn : PollEvents.None;
                events |= Writers == 0 && sawWriter ? PollEvents.Hup : PollEvents.None;
            }

            if (isWriter)
            {
                events |= _capacity - _data.Count >= AtomicBytes ? PollEvents.AllOut : PollEvents.None;
                events |= Readers == 0 ? PollEvents.Err : PollEvents.None;
            }

            return events;
        }
    }

    /// <summary>An end is opened.</summary>
    public void Open(bool isReader, bool isWriter)
    {
        lock (_lock)
        {
            Readers += isReader ? 1 : 0;
            ReaderOpens = unchecked(ReaderOpens + (isReader ? 1 : 0));
            Writers += isWriter ? 1 : 0;
            WriterOpens = unchecked(WriterOpens + (isWriter ? 1 : 0));
        }

        Queue.NotifyAll(PollEvents.Internal);
    }

    /// <summary>An end is closed. What is in the pipe is lost with the last one.</summary>
    public void Close(bool isReader, bool isWriter)
    {
        lock (_lock)
        {
            Readers -= isReader ? 1 : 0;
            Writers -= isWriter ? 1 : 0;
            if (Readers == 0 && Writers == 0)
            {
                _data.Clear();
                _segments = null;
                return;
            }
        }

        Queue.NotifyAll(PollEvents.AllIn | PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
    }

    [RequiresLock(nameof(_lock))]
    private IoResult ReadSegmentsLocked(ref IoBuffer destination)
    {
        int total = 0;
        while (destination.Remaining > 0 && _segments is not null && _segments.TryPeek(out Segment segment))
        {
            if (segment.IsPacket && total > 0)
            {
                break;
            }

            Errno error = _data.Take(ref destination, segment.Length, out int moved);
            total += moved;
            if (error != Errno.None && total == 0)
            {
                return error;
            }

            // A packet's rest is lost; a stream's is not. Only the first of the queue changes, so it is put back in front by hand.
            if (segment.IsPacket)
            {
                _data.Discard(segment.Length - moved);
            }
            else if (moved < segment.Length)
            {
                ReplaceFirstLocked(new Segment(segment.Length - moved, false));
                break;
            }

            _ = _segments.Dequeue();
            if (_segments.Count == 0)
            {
                _segments = null;
            }

            if (segment.IsPacket)
            {
                break;
            }
        }

        return total;
    }

    [RequiresLock(nameof(_lock))]
    private void ReplaceFirstLocked(Segment first)
    {
        int count = _segments!.Count;
        _ = _segments.Dequeue();
        _segments.Enqueue(first);
        for (int i = 1; i < count; i++)
        {
            _segments.Enqueue(_segments.Dequeue());
        }
    }

    [RequiresLock(nameof(_lock))]
    private Errno WriteSegmentsLocked(ref IoBuffer source, int room, bool asPackets, out int total)
    {
        total = 0;
        if (_segments is null)
        {
            _segments = new Queue<Segment>();
            if (_data.Count > 0)
            {
                _segments.Enqueue(new Segment(_data.Count, false));
            }
        }

        Errno error = Errno.None;
        while (error == Errno.None && source.Remaining > 0 && room > 0)
        {
            int piece = (int)Math.Min(source.Remaining, asPackets ? AtomicBytes : room);
            if (piece > room)
            {
                break;
            }

            error = _data.Append(ref source, piece, out int moved);
            if (moved > 0)
            {
                _segments.Enqueue(new Segment(moved, asPackets));
            }

            total += moved;
            room -= moved;
        }

        return error;
    }
}
