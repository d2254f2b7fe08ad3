// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>An open directory of an overlay: a listing of both layers, taken when reading begins; rewinding takes it anew.</summary>
internal sealed class OverlayDirectory : FileDescription
{
    private const int SeekSet = 0, SeekCurrent = 1;

    // Positions 0 and 1 are "." and "..".
    private const long FirstEntry = 2;

    private readonly OverlayInode _inode;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private List<OverlayEntry>? _entries;
    [GuardedBy(nameof(_lock))]
    private long _position;

    /// <summary>Opens it.</summary>
    public OverlayDirectory(OverlayInode inode, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        _inode = inode;
        inode.Reference();
    }

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Errno.EISDIR;

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Errno.None;

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence)
    {
        lock (_lock)
        {
            long target = whence switch { SeekSet => offset, SeekCurrent => _position + Math.Clamp(offset, -_position - 1, int.MaxValue), _ => -1 };
            if (target < 0)
            {
                return Errno.EINVAL;
            }

            if (target == 0)
            {
                _entries = null;
            }

            _position = target;
            return target;
        }
    }

    /// <inheritdoc/>
    public override Errno ReadDirectory(in OperationContext context, IDirectorySink sink)
    {
        lock (_lock)
        {
            if (_entries is null)
            {
                List<OverlayEntry> entries = [];
                Errno error = _inode.ReadEntries(in context, entries);
                if (error != Errno.None)
                {
                    return error;
                }

                _entries = entries;
            }

            while (_position < FirstEntry)
            {
                Inode shown = _position == 0 ? _inode : Path.Dentry?.Parent?.Inode ?? _inode;
                _ = shown.GetAttributes(out Attributes attributes);
                if (!sink.Add(_position == 0 ? "." : "..", attributes.Inode, FileType.Directory, _position + 1))
                {
                    return Errno.None;
                }

                _position++;
            }

            while (_position - FirstEntry < _entries.Count)
            {
                OverlayEntry entry = _entries[(int)(_position - FirstEntry)];
                if (!sink.Add(entry.Name, entry.Inode, entry.Type, _position + 1))
                {
                    break;
                }

                _position++;
            }

            return Errno.None;
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease() => _inode.Unreference();
}
