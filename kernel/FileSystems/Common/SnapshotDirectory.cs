// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems;

/// <summary>An entry of a listing.</summary>
/// <param name="Name">The name.</param>
/// <param name="Number">The inode number.</param>
/// <param name="Type">The type.</param>
internal readonly record struct ListedEntry(string Name, ulong Number, FileType Type);

/// <summary>An open directory whose listing is taken as a whole when reading begins; rewinding takes it anew.</summary>
/// <param name="inode">The directory.</param>
/// <param name="path">Where it was opened.</param>
/// <param name="flags">The flags.</param>
internal abstract class SnapshotDirectory(Inode inode, VfsPath path, OpenFlags flags) : DirectoryDescription(path, flags)
{
    // Positions 0 and 1 are "." and "..".
    private const long FirstEntry = 2;

    // Guarded by the description's offset lock, under which entries are read.
    private IReadOnlyList<ListedEntry>? _entries;

    /// <summary>Everything in the directory but "." and "..".</summary>
    protected abstract Errno List(in OperationContext context, out IReadOnlyList<ListedEntry> entries);

    /// <inheritdoc/>
    protected override Errno ReadEntries(in OperationContext context, long offset, IDirectorySink sink)
    {
        if (Path.Dentry is { IsUnlinked: true })
        {
            return Errno.ENOENT; // as iterate_dir() says of a dead directory
        }

        if (_entries is null || offset == 0)
        {
            Errno error = List(in context, out IReadOnlyList<ListedEntry> entries);
            if (error != Errno.None)
            {
                return error;
            }

            _entries = entries;
        }

        for (; offset < FirstEntry; offset++)
        {
            Inode shown = offset == 0 ? inode : Path.Dentry?.Parent?.Inode ?? inode;
            _ = shown.GetAttributes(out Attributes attributes);
            if (!sink.Add(offset == 0 ? "." : "..", attributes.Inode, FileType.Directory, offset + 1))
            {
                return Errno.None;
            }
        }

        for (; offset - FirstEntry < _entries.Count; offset++)
        {
            ListedEntry entry = _entries[(int)(offset - FirstEntry)];
            if (!sink.Add(entry.Name, entry.Number, entry.Type, offset + 1))
            {
                break;
            }
        }

        return Errno.None;
    }
}
