// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Pipes;

/// <summary>What splice(2), tee(2) and sendfile(2) do with a pipe's data. Nothing waits: EAGAIN says that nothing could be moved now.</summary>
public sealed partial class Pipe
{
    /// <summary>Moves data from the front into a file.</summary>
    /// <param name="task">Who.</param>
    /// <param name="target">The file; not a pipe.</param>
    /// <param name="offset">Where in the file; -1 for its own offset.</param>
    /// <param name="length">The most to move.</param>
    /// <returns>Bytes; 0 when empty without writers; EAGAIN; or the file's errno.</returns>
    public IoResult DrainTo(Task? task, FileDescription target, long offset, long length)
    {
        long total = 0;
        IoResult last = 0;
        lock (_lock)
        {
            if (_data.Count == 0)
            {
                return Writers == 0 || length == 0 ? 0 : Errno.EAGAIN;
            }

            while (total < length && _data.Count > 0)
            {
                IoBuffer piece = new(_data.FrontMemory(0));
                piece.Limit(length - total);
                long asked = piece.Remaining;
                last = FileTransfer.Write(task, target, ref piece, offset < 0 ? -1 : offset + total);
                if (last.IsError)
                {
                    break;
                }

                DiscardLocked((int)last.Count);
                total += last.Count;
                if (last.Count < asked)
                {
                    break;
                }
            }

            _writerStalled &= total == 0;
        }

        if (total == 0)
        {
            return last;
        }

        Queue.Notify(PollEvents.AllOut);
        return total;
    }

    /// <summary>Appends data read from a file.</summary>
    /// <param name="task">Who.</param>
    /// <param name="source">The file; not a pipe.</param>
    /// <param name="offset">Where in the file; -1 for its own offset.</param>
    /// <param name="length">The most to move.</param>
    /// <returns>Bytes; 0 at the file's end; EAGAIN when the pipe is full or the file has nothing yet; EPIPE; or the file's errno.</returns>
    public IoResult FillFrom(Task? task, FileDescription source, long offset, long length)
    {
        long total = 0;
        IoResult last = 0;
        lock (_lock)
        {
            if (Readers == 0)
            {
                return Errno.EPIPE;
            }

            if (_data.Count >= _capacity)
            {
                _writerStalled = true;
                return Errno.EAGAIN;
            }

            while (total < length && _data.Count < _capacity)
            {
                IoBuffer piece = new(_data.BackMemory());
                piece.Limit(Math.Min(length - total, _capacity - _data.Count));
                long asked = piece.Remaining;
                last = FileTransfer.Read(task, source, ref piece, offset < 0 ? -1 : offset + total);
                if (last.IsError)
                {
                    break;
                }

                _data.Commit((int)last.Count);
                NoteStreamLocked((int)last.Count);
                total += last.Count;
                if (last.Count < asked)
                {
                    break;
                }
            }
        }

        if (total == 0)
        {
            return last;
        }

        Queue.Notify(PollEvents.AllIn);
        return total;
    }

    /// <summary>Copies (tee) or moves (splice) data from the front into another pipe.</summary>
    /// <param name="target">The other pipe; EINVAL when it is this one.</param>
    /// <param name="length">The most to transfer.</param>
    /// <param name="keeps">Whether this pipe keeps the data (tee).</param>
    /// <returns>Bytes; 0 when empty without writers; EAGAIN; EPIPE.</returns>
    public IoResult TransferTo(Pipe target, long length, bool keeps)
    {
        if (target == this)
        {
            return Errno.EINVAL;
        }

        (Pipe first, Pipe second) = _order < target._order ? (this, target) : (target, this);
        IoResult result;
        lock (first._lock)
        {
            lock (second._lock)
            {
#pragma warning disable CV3002 // Both pipes' locks are held, in their order.
                result = TransferLocked(target, length, keeps);
#pragma warning restore CV3002
            }
        }

        if (result.Count > 0)
        {
            target.Queue.Notify(PollEvents.AllIn);
            if (!keeps)
            {
                Queue.Notify(PollEvents.AllOut);
            }
        }

        return result;
    }

    [RequiresLock(nameof(_lock))]
    [RequiresLock("target._lock")]
    private IoResult TransferLocked(Pipe target, long length, bool keeps)
    {
        if (target.Readers == 0)
        {
            return Errno.EPIPE;
        }

        if (_data.Count == 0)
        {
            return Writers == 0 || length == 0 ? 0 : Errno.EAGAIN;
        }

        int moved = 0;
        int available = (int)Math.Min(length, _data.Count);
        while (moved < available && target._data.Count < target._capacity)
        {
            IoBuffer piece = new(_data.FrontMemory(moved));
            piece.Limit(available - moved);
            _ = target._data.Append(ref piece, target._capacity - target._data.Count, out int copied);
            target.NoteStreamLocked(copied);
            moved += copied;
        }

        if (moved == 0)
        {
            target._writerStalled = true;
            return Errno.EAGAIN;
        }

        if (!keeps)
        {
            DiscardLocked(moved);
            _writerStalled = false;
        }

        return moved;
    }

    [RequiresLock(nameof(_lock))]
    private void NoteStreamLocked(int bytes)
    {
        if (bytes > 0)
        {
            _segments?.Enqueue(new Segment(bytes, false));
        }
    }

    [RequiresLock(nameof(_lock))]
    private void DiscardLocked(int bytes)
    {
        _data.Discard(bytes);
        while (bytes > 0 && _segments is not null && _segments.TryPeek(out Segment segment))
        {
            if (segment.Length > bytes)
            {
                ReplaceFirstLocked(segment with { Length = segment.Length - bytes });
                return;
            }

            bytes -= segment.Length;
            _ = _segments.Dequeue();
            if (_segments.Count == 0)
            {
                _segments = null;
            }
        }
    }
}
