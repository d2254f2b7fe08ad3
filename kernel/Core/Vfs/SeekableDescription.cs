// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>An open file with an offset: regular files, and what behaves like them. Derived classes read and write at offsets.</summary>
/// <remarks>The offset's lock is held while data moves, as Linux holds f_pos_lock, so that two readers of one description get different bytes.</remarks>
public abstract class SeekableDescription(VfsPath path, OpenFlags flags) : FileDescription(path, flags)
{
    private readonly Lock _offsetLock = new();
    [GuardedBy(nameof(_offsetLock))]
    private long _offset;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <summary>The file's length in bytes, for SEEK_END.</summary>
    protected abstract Errno GetSize(out long sizeBytes);

    /// <summary>The next data (SEEK_DATA) or hole (SEEK_HOLE) at or behind an offset below the file's length. By default all is data.</summary>
    protected virtual IoResult SeekData(long offset, bool wantsHole) => wantsHole ? (GetSize(out long size) is var error and not Errno.None ? error : size) : offset;

    /// <inheritdoc/>
    /// <remarks>Asks for the size and writes there.</remarks>
    public override IoResult Append(Task? task, ref IoBuffer source, out long end)
    {
        Errno error = GetSize(out end);
        if (error != Errno.None)
        {
            return error;
        }

        IoResult result = WriteAt(task, ref source, end);
        end += result.Count;
        return result;
    }

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        lock (_offsetLock)
        {
            IoResult result = ReadAt(task, ref destination, _offset);
            _offset += result.Count;
            return result;
        }
    }

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        lock (_offsetLock)
        {
            IoResult result;
            if ((Flags & OpenFlags.Append) != 0)
            {
                result = Append(task, ref source, out long end);
                _offset = result.IsError ? _offset : end;
                return result;
            }

            result = WriteAt(task, ref source, _offset);
            _offset += result.Count;
            return result;
        }
    }

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence)
    {
        lock (_offsetLock)
        {
            long origin = 0;
            Errno error;
            switch (whence)
            {
                case 0:
                    break;
                case 1:
                    origin = _offset;
                    break;
                case 2:
                    error = GetSize(out origin);
                    if (error != Errno.None)
                    {
                        return error;
                    }

                    break;
                case 3 or 4:
                    error = GetSize(out long size);
                    if (error != Errno.None || offset < 0 || offset >= size)
                    {
                        return error != Errno.None ? error : Errno.ENXIO;
                    }

                    IoResult found = SeekData(offset, wantsHole: whence == 4);
                    _offset = found.IsError ? _offset : found.Count;
                    return found;
                default:
                    return Errno.EINVAL;
            }

            // Guest numbers: the sum may not fit, and a negative place is refused (EINVAL); EOVERFLOW as vfs_setpos() has it does not arise.
            long place = unchecked(origin + offset);
            if (place < 0)
            {
                return offset > 0 ? Errno.EOVERFLOW : Errno.EINVAL;
            }

            _offset = place;
            return place;
        }
    }
}

/// <summary>An open directory. Derived classes list entries from a position on.</summary>
public abstract class DirectoryDescription(VfsPath path, OpenFlags flags) : FileDescription(path, flags)
{
    private readonly Lock _offsetLock = new();
    [GuardedBy(nameof(_offsetLock))]
    private long _offset;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Errno.EISDIR;

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => Errno.EISDIR;

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Errno.None;

    /// <summary>Lists entries.</summary>
    /// <param name="context">Who.</param>
    /// <param name="offset">The position: 0, or what the last accepted entry gave as next.</param>
    /// <param name="sink">Takes entries until it is full; its positions are remembered by the caller.</param>
    protected abstract Errno ReadEntries(in OperationContext context, long offset, IDirectorySink sink);

    /// <inheritdoc/>
    public sealed override Errno ReadDirectory(in OperationContext context, IDirectorySink sink)
    {
        lock (_offsetLock)
        {
            Tracker tracker = new(sink) { Next = _offset };
            Errno error = ReadEntries(context, _offset, tracker);
            _offset = tracker.Next;
            return error;
        }
    }

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence)
    {
        lock (_offsetLock)
        {
            long place = whence switch { 0 => offset, 1 => unchecked(_offset + offset), _ => -1 };
            if (place < 0)
            {
                return Errno.EINVAL;
            }

            _offset = place;
            return place;
        }
    }

    private sealed class Tracker(IDirectorySink sink) : IDirectorySink
    {
        internal long Next { get; set; }

        public bool Add(string name, ulong inode, FileType type, long nextOffset)
        {
            bool fits = sink.Add(name, inode, type, nextOffset);
            Next = fits ? nextOffset : Next;
            return fits;
        }
    }
}
