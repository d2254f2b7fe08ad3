// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>A file from below, mapped: once the file is copied up, its pages are the copy's.</summary>
internal sealed class OverlaySource : MemorySource
{
    private readonly OverlayInode _inode;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private MemorySource _current;
    [GuardedBy(nameof(_lock))]
    private int _users;

    /// <summary>Makes it over the lower file's own.</summary>
    public OverlaySource(OverlayInode inode, MemorySource below) => (_inode, _current) = (inode, below);

    /// <inheritdoc/>
    public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
    {
        MemorySource current;
        lock (_lock)
        {
            current = _current;
        }

        return current.GetMemory(offset, maximumLength, write, out extent);
    }

    /// <inheritdoc/>
    public override Errno Sync(ulong offset, ulong length)
    {
        MemorySource current;
        lock (_lock)
        {
            current = _current;
        }

        return current.Sync(offset, length);
    }

    /// <inheritdoc/>
    public override void Reference()
    {
        _inode.Reference();
        lock (_lock)
        {
            if (_users++ == 0)
            {
                _current.Reference();
            }
        }
    }

    /// <inheritdoc/>
    public override void Unreference()
    {
        MemorySource? last = null;
        lock (_lock)
        {
            if (--_users == 0)
            {
                last = _current;
            }
        }

        last?.Unreference();
        _inode.Unreference();
    }

    /// <inheritdoc/>
    public override bool TryDescribe(out ulong device, out ulong inodeNumber, out string path)
    {
        path = "";
        Errno error = _inode.GetAttributes(out Attributes attributes);
        device = attributes.Device;
        inodeNumber = attributes.Inode;
        return error == Errno.None;
    }

    /// <summary>Goes over to the copy. Who has pages mapped asks for the copy's at the next touch.</summary>
    internal void Switch(Inode upper)
    {
        OpenResult opened = upper.Open(OperationContext.Kernel, default, OpenFlags.ReadOnly).Take();
        if (opened.Description is null)
        {
            return; // it stays with the old contents, as Linux's overlay does
        }

        MapRequest request = new() { Length = 4096, Access = Platforms.MemoryAccess.Read, MaximumAccess = Platforms.MemoryAccess.Read };
        Errno error = opened.Description.ConfigureMap(null, ref request);
        MemorySource? old = null;
        bool hasUsers = false;
        if (error == Errno.None && request.Source is { } source)
        {
            lock (_lock)
            {
                (old, _current) = (_current, source);
                hasUsers = _users > 0; // who then hold the copy with the reference that came along
            }

            if (!hasUsers)
            {
                source.Unreference();
            }
        }

        opened.Description.Unreference();
        if (hasUsers)
        {
            Mappings.Invalidate(this, 0, ulong.MaxValue, keepsCopies: true);
            old!.Unreference();
        }
    }
}
