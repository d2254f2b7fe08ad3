// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>An open directory of an overlay: both layers merged.</summary>
internal sealed class OverlayDirectory : SnapshotDirectory
{
    private readonly OverlayInode _inode;

    /// <summary>Opens it.</summary>
    public OverlayDirectory(OverlayInode inode, VfsPath path, OpenFlags flags)
        : base(inode, path, flags)
    {
        _inode = inode;
        inode.Reference();
    }

    /// <inheritdoc/>
    protected override Errno List(in OperationContext context, out IReadOnlyList<ListedEntry> entries)
    {
        List<ListedEntry> listed = [];
        entries = listed;
        return _inode.ReadEntries(in context, listed);
    }

    /// <inheritdoc/>
    protected override void OnRelease() => _inode.Unreference();
}
