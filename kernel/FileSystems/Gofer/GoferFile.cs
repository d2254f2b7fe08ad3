// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.FileSystems.Gofer;

/// <summary>An open regular file of the host.</summary>
internal sealed class GoferFile : SeekableDescription
{
    private const int HostSeekData = 3, HostSeekHole = 4;

    private readonly GoferInode _inode;

    /// <summary>Opens it; the caller has acquired the handles.</summary>
    public GoferFile(GoferInode inode, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        _inode = inode;
        inode.Reference();
    }

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => _inode.Reader.Read(ref destination, offset);

    /// <inheritdoc/>
    public override IoResult WriteAt(Task? task, ref IoBuffer source, long offset)
    {
        IoResult result = _inode.Writer.Write(ref source, offset);
        if (result.Count > 0)
        {
            _inode.OnWritten((ulong)(offset + result.Count));
            if (task is not null)
            {
                _ = VirtualFileSystem.DropPrivileges(task.Operation, _inode);
            }
        }

        return result;
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
        request.Source.Reference();
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
    protected override Errno GetSize(out long sizeBytes)
    {
        Errno error = _inode.GetSize(out ulong size);
        sizeBytes = (long)Math.Min(size, long.MaxValue);
        return error;
    }

    /// <inheritdoc/>
    protected override IoResult SeekData(long offset, bool wantsHole)
    {
        GoferHandle handle = _inode.Reader;
        if (handle.HostFd < 0)
        {
            return base.SeekData(offset, wantsHole);
        }

        HostResult found = HostCalls.Lseek(handle.HostFd, offset, wantsHole ? HostSeekHole : HostSeekData); // the host's own offset is used by nobody
        return found.IsError ? found.Error.ToGuest() : found.Value;
    }

    /// <inheritdoc/>
    public override IoResult Append(Task? task, ref IoBuffer source, out long end)
    {
        lock (_inode.WriteLock)
        {
            return base.Append(task, ref source, out end);
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _inode.Discard();
        _inode.Unreference();
    }
}
