// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>A file from below that was opened for reading. Once somebody changes the file, it reads the copy.</summary>
internal sealed class OverlayFile : FileDescription
{
    private const int SeekSet = 0, SeekCurrent = 1;

    private readonly OverlayInode _inode;
    private readonly Lock _lock = new();
    private FileDescription _current;
    private FileDescription? _replaced;
    private bool _isAbove;

    /// <summary>Wraps the lower file's description.</summary>
    public OverlayFile(OverlayInode inode, FileDescription below, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        _inode = inode;
        _current = below;
        inode.Reference();
    }

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Current().Read(task, ref destination);

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => Current().ReadAt(task, ref destination, offset);

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence) => Current().Seek(offset, whence);

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Current().Sync(dataOnly);

    /// <inheritdoc/>
    public override Errno ConfigureMap(Task? task, ref MapRequest request)
    {
        FileDescription current = Current();
        Errno error = current.ConfigureMap(task, ref request);
        if (error == Errno.None && !Volatile.Read(ref _isAbove) && request.Source is { } below)
        {
            request.Source = _inode.SourceOver(below);
            request.Source.Reference();
            below.Unreference();
        }

        return error;
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _replaced?.Unreference();
        _current.Unreference();
        _inode.Unreference();
    }

    private FileDescription Current()
    {
        if (Volatile.Read(ref _isAbove) || !_inode.IsAbove)
        {
            return _current;
        }

        lock (_lock)
        {
            if (_isAbove)
            {
                return _current;
            }

            OpenResult opened = _inode.Open(OperationContext.Kernel, Path, Flags).Take();
            if (opened.Description is not { } above)
            {
                return _current; // no memory, say: the old contents are better than none
            }

            IoResult position = _current.Seek(0, SeekCurrent);
            _ = above.Seek(position.Count, SeekSet);

            // The old one is kept for whoever reads it right now; it is closed with this description.
            _replaced = _current;
            _current = above;
            Volatile.Write(ref _isAbove, true);
            return above;
        }
    }
}
