// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.FileSystems.Gofer;

/// <summary>An open regular file of the host.</summary>
internal sealed class GoferFile : FileDescription
{
    private const int SeekSet = 0, SeekCurrent = 1, SeekEnd = 2, SeekData = 3, SeekHole = 4;

    private readonly GoferInode _inode;
    private readonly Lock _offsetLock = new();
    [GuardedBy(nameof(_offsetLock))]
    private long _offset;

    /// <summary>Opens it; the caller has acquired the handles.</summary>
    public GoferFile(GoferInode inode, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        _inode = inode;
        inode.Reference();
    }

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        lock (_offsetLock)
        {
            IoResult result = _inode.Reader.Read(ref destination, _offset);
            _offset += result.Count;
            return result;
        }
    }

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => _inode.Reader.Read(ref destination, offset);

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        lock (_offsetLock)
        {
            IoResult result = Put(ref source, _offset, out long end);
            if (!result.IsError)
            {
                _offset = end;
            }

            return result;
        }
    }

    /// <inheritdoc/>
    public override IoResult WriteAt(Task? task, ref IoBuffer source, long offset) => Put(ref source, offset, out _);

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence)
    {
        lock (_offsetLock)
        {
            long start = 0;
            switch (whence)
            {
                case SeekSet:
                    break;
                case SeekCurrent:
                    start = _offset;
                    break;
                case SeekEnd:
                case SeekData:
                case SeekHole:
                    Errno error = _inode.GetSize(out ulong size);
                    if (error != Errno.None)
                    {
                        return error;
                    }

                    if (whence != SeekEnd)
                    {
                        IoResult found = FindDataOrHole(offset, whence, (long)size);
                        _offset = found.IsError ? _offset : found.Count;
                        return found;
                    }

                    start = (long)size;
                    break;
                default:
                    return Errno.EINVAL;
            }

            if (offset < 0 ? start + offset < 0 : start > long.MaxValue - offset)
            {
                return offset < 0 ? Errno.EINVAL : Errno.EOVERFLOW;
            }

            _offset = start + offset;
            return _offset;
        }
    }

    /// <inheritdoc/>
    public override Errno ConfigureMap(Task? task, ref MapRequest request)
    {
        bool writesFile = request.IsShared && IsWritable;
        if ((writesFile ? _inode.Writer : _inode.Reader).Memory is null)
        {
            return Errno.ENODEV;
        }

        if (request.IsShared && !IsWritable)
        {
            request.MaximumAccess &= ~MemoryAccess.Write;
        }

        request.Source = _inode.Source;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => (IsWritable ? _inode.Writer : _inode.Reader).Sync(dataOnly);

    /// <inheritdoc/>
    public override Errno Allocate(Task? task, int mode, long offset, long length)
    {
        const int KeepSize = 1;
        Errno error = _inode.Writer.Allocate(mode, offset, length);
        if (error == Errno.None)
        {
            _inode.OnWritten((mode & KeepSize) != 0 ? 0 : (ulong)(offset + length));
        }

        return error;
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _inode.Discard();
        _inode.Unreference();
    }

    private IoResult Put(ref IoBuffer source, long offset, out long end)
    {
        if ((Flags & OpenFlags.Append) == 0)
        {
            return PutAt(ref source, offset, out end);
        }

        lock (_inode.WriteLock)
        {
            Errno error = _inode.GetSize(out ulong size);
            if (error != Errno.None)
            {
                end = offset;
                return error;
            }

            return PutAt(ref source, (long)size, out end);
        }
    }

    private IoResult PutAt(ref IoBuffer source, long offset, out long end)
    {
        IoResult result = _inode.Writer.Write(ref source, offset);
        end = offset + result.Count;
        if (result.Count > 0)
        {
            _inode.OnWritten((ulong)end);
        }

        return result;
    }

    private IoResult FindDataOrHole(long offset, int whence, long size)
    {
        if (offset < 0 || offset >= size)
        {
            return Errno.ENXIO;
        }

        int fd = _inode.Reader is { HostFd: >= 0 } reader ? reader.HostFd : -1;
        if (fd < 0)
        {
            return whence == SeekData ? offset : size; // all of it is data
        }

        HostResult found = HostCalls.Lseek(fd, offset, whence); // the host's own offset is used by nobody
        return found.IsError ? found.Error.ToGuest() : found.Value;
    }
}
