// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems;

/// <summary>An inode that lookups find again by a key while it lives (hard links, names looked up twice): see <see cref="InodeTable{TKey}"/>.</summary>
/// <param name="fileSystem">The file system.</param>
internal abstract class TableInode(FileSystem fileSystem) : Inode(fileSystem)
{
    /// <summary>How many threads were handed this inode and may not have referenced it yet. Guarded by the table's lock.</summary>
    internal int Pins { get; set; }

    /// <summary>References now.</summary>
    internal int References => ReferenceCount;

    /// <summary>Takes one pin off.</summary>
    internal abstract void Unpin();

    /// <summary>Frees what the garbage collector does not see; called once, out of the table, without its lock.</summary>
    protected internal abstract void Destroy();

    /// <summary>The inode that this thread was handed last, in whatever file system. It has been referenced, or let go, by the time this thread asks for another.</summary>
    [ThreadStatic]
    private static TableInode? t_handedLast;

    /// <summary>Remembers what this thread is handed now (pinned by the caller) and unpins what it was handed before.</summary>
    internal static void HandOut(TableInode inode)
    {
        TableInode? before = t_handedLast;
        t_handedLast = inode;
        before?.Unpin();
    }
}
