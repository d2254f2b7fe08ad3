// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <content>Opening, and the handles that all descriptions of a file share.</content>
internal sealed partial class GoferInode
{
    private const uint HostReadOnly = 0, HostWriteOnly = 1, HostReadWrite = 2;

    [GuardedBy(nameof(_lock))]
    private GoferHandle? _reader;
    [GuardedBy(nameof(_lock))]
    private GoferHandle? _writer;
    [GuardedBy(nameof(_lock))]
    private bool _writerReads;
    [GuardedBy(nameof(_lock))]
    private int _users;
    [GuardedBy(nameof(_lock))]
    private bool _isQueued;
    private GoferMemorySource? _source;

    /// <summary>Held while a write finds the end of the file and moves it (O_APPEND).</summary>
    internal Lock WriteLock { get; } = new();

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags)
    {
        switch (Type)
        {
            case FileType.Regular:
                bool reads = (flags & OpenFlags.AccessModeMask) != OpenFlags.WriteOnly;
                bool writes = (flags & OpenFlags.AccessModeMask) != OpenFlags.ReadOnly;
                Errno error = Acquire(reads, writes);
                return error != Errno.None ? (OpenResult)error : (OpenResult)new GoferFile(this, path, flags);
            case FileType.Directory:
                return (OpenResult)new GoferDirectory(this, path, flags);
            case FileType.Symlink:
                return (OpenResult)Errno.ELOOP;
            default:
                return SpecialFiles.Open(this, context, path, flags);
        }
    }

    /// <summary>The handle that reads, for a user that acquired it.</summary>
    internal GoferHandle Reader
    {
        get
        {
            lock (_lock)
            {
                return (_writerReads ? _writer : _reader)!;
            }
        }
    }

    /// <summary>The handle that writes, for a user that acquired it.</summary>
    internal GoferHandle Writer
    {
        get
        {
            lock (_lock)
            {
                return _writer!;
            }
        }
    }

    /// <summary>The file as something to map.</summary>
    internal GoferMemorySource Source => _source ?? Interlocked.CompareExchange(ref _source, new GoferMemorySource(this), null) ?? _source!;

    /// <summary>The size in bytes: what is known of it in exclusive mode, else the host's.</summary>
    internal Errno GetSize(out ulong sizeBytes)
    {
        lock (_lock)
        {
            if (_fs.IsExclusive)
            {
                sizeBytes = _attributes.SizeBytes; // every change of ours is noted at once
                return Errno.None;
            }

            Errno error = RefreshLocked();
            sizeBytes = _attributes.SizeBytes;
            return error;
        }
    }

    /// <summary>One user more of the handles that it needs; they are opened if they are not.</summary>
    internal Errno Acquire(bool reads, bool writes)
    {
        lock (_lock)
        {
            HostErrno error = HostErrno.None;
            if (writes && _writer is null)
            {
                error = OpenWriterLocked();
            }

            if (error == HostErrno.None && reads && !_writerReads && _reader is null)
            {
                error = OpenReaderLocked();
            }

            if (error == HostErrno.None)
            {
                _users++;
            }

            return error.ToGuest();
        }
    }

    /// <summary>One user more of handles that another user holds.</summary>
    internal void Keep()
    {
        lock (_lock)
        {
            _users++;
        }
    }

    /// <summary>One user less.</summary>
    internal void Discard()
    {
        lock (_lock)
        {
            if (--_users > 0 || _isQueued)
            {
                return;
            }

            _isQueued = true;
        }

        _fs.OnIdle(this);
    }

    /// <summary>Closes the handles if nobody uses them; the file system keeps only so many.</summary>
    internal void CloseIdleHandles()
    {
        GoferHandle? reader;
        GoferHandle? writer;
        lock (_lock)
        {
            _isQueued = false;
            if (_users > 0)
            {
                return;
            }

            (reader, writer) = TakeHandlesLocked();
        }

        reader?.Close();
        writer?.Close();
    }

    /// <summary>Takes over the handle of a file just made.</summary>
    internal void GiveWriter(GoferHandle handle)
    {
        lock (_lock)
        {
            if (_writer is null)
            {
                _writer = handle;
                _writerReads = true;
                if (_users > 0 || _isQueued)
                {
                    return;
                }

                _isQueued = true;
            }
            else
            {
                handle.Close();
                return;
            }
        }

        _fs.OnIdle(this); // until it is opened, it is idle
    }

    /// <summary>Notes a write.</summary>
    internal void OnWritten(ulong endOffset)
    {
        lock (_lock)
        {
            _attributes.SizeBytes = Math.Max(_attributes.SizeBytes, endOffset);
            _isFresh = false;
        }
    }

    /// <summary>Writes data out that was written through us.</summary>
    internal Errno SyncWriter()
    {
        GoferHandle? writer;
        lock (_lock)
        {
            writer = _writer;
            if (writer is null)
            {
                return Errno.None;
            }

            _users++;
        }

        Errno error = writer.Sync(dataOnly: false);
        Discard();
        return error;
    }

    private void InvalidateMappings(ulong sizeBytes)
    {
        if (Volatile.Read(ref _source) is { } source)
        {
            ulong firstPageGone = (sizeBytes + 4095) & ~4095UL;
            source.Mappings.Invalidate(source, firstPageGone, ulong.MaxValue);
        }
    }

    private void CloseHandles()
    {
        GoferHandle? reader;
        GoferHandle? writer;
        lock (_lock)
        {
            (reader, writer) = TakeHandlesLocked();
        }

        reader?.Close();
        writer?.Close();
    }

    [RequiresLock(nameof(_lock))]
    private (GoferHandle? Reader, GoferHandle? Writer) TakeHandlesLocked()
    {
        (GoferHandle? Reader, GoferHandle? Writer) taken = (_reader, _writer);
        _reader = null;
        _writer = null;
        _writerReads = false;
        return taken;
    }

    [RequiresLock(nameof(_lock))]
    private HostErrno OpenReaderLocked()
    {
        GoferOpen open;
        HostErrno error = OpenHomeLocked(DirectCalls.Reading, out int hostFd);
        if (error == HostErrno.None)
        {
            open = new GoferOpen(hostFd, 0);
        }
        else
        {
            error = OpenByGoferLocked(HostReadOnly, out open);
        }

        if (error == HostErrno.None)
        {
            _reader = new GoferHandle(_fs.Connection, open, isWritable: false);
        }

        return error;
    }

    [RequiresLock(nameof(_lock))]
    private HostErrno OpenByGoferLocked(uint flags, out GoferOpen open)
    {
        open = default;
        HostErrno error = GetFid(out uint fid);
        return error == HostErrno.None ? _fs.Connection.OpenFile(fid, flags, out open) : error;
    }

    [RequiresLock(nameof(_lock))]
    private HostErrno OpenWriterLocked()
    {
        // One handle for both is worth trying for: a file being written is often mapped or read back.
        HostErrno error = OpenByGoferLocked(HostReadWrite, out GoferOpen open);
        bool reads = error == HostErrno.None;
        if (error is HostErrno.EACCES or HostErrno.EPERM)
        {
            error = OpenByGoferLocked(HostWriteOnly, out open);
        }

        if (error == HostErrno.None)
        {
            _writer = new GoferHandle(_fs.Connection, open, isWritable: true);
            _writerReads = reads;
        }

        return error;
    }
}
