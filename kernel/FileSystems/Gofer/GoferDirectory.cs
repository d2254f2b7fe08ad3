// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Gofer;

/// <summary>An open directory of the host.</summary>
internal sealed class GoferDirectory : SnapshotDirectory
{
    private readonly GoferInode _inode;

    /// <summary>Opens it.</summary>
    public GoferDirectory(GoferInode inode, VfsPath path, OpenFlags flags)
        : base(inode, path, flags)
    {
        _inode = inode;
        inode.Reference();
    }

    /// <inheritdoc/>
    protected override Errno List(in OperationContext context, out IReadOnlyList<ListedEntry> entries)
    {
        Errno error = _inode.ReadEntries(out ListedEntry[] listed);
        entries = listed;
        return error;
    }

    /// <inheritdoc/>
    protected override void OnRelease() => _inode.Unreference();
}
