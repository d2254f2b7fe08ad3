// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Synthetic;

/// <summary>A file system whose files the kernel makes up: proc and sys.</summary>
/// <param name="magic">The number that statfs(2) shows (linux/magic.h).</param>
public abstract class SyntheticFileSystem(ulong magic) : FileSystem
{
    private long _lastInode;

    /// <inheritdoc/>
    public override DentryPolicy DentryPolicy => DentryPolicy.Revalidate;

    /// <summary>A fresh inode number.</summary>
    public ulong NextInodeNumber() => (ulong)Interlocked.Increment(ref _lastInode);

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        statistics = new FileSystemStatistics { Type = magic, BlockSize = 4096, NameLength = 255 };
        return Errno.None;
    }
}
