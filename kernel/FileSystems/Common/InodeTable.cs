// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.FileSystems;

/// <summary>The living inodes of a file system, by what makes two lookups the same file.</summary>
/// <remarks>
/// A lookup hands an inode out before its dentry references it, and meanwhile another thread may drop the last reference.
/// So what is handed out is pinned until the same thread is handed another inode: by then it has been referenced or given up.
/// An inode is destroyed when it has neither pins nor references.
/// </remarks>
/// <typeparam name="TKey">The identity.</typeparam>
/// <typeparam name="TInode">The inodes.</typeparam>
internal sealed class InodeTable<TKey, TInode>
    where TKey : notnull
    where TInode : TableInode
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<TKey, TInode> _inodes = [];

    /// <summary>Hands out the inode of a key, or null.</summary>
    public TInode? Find(TKey key)
    {
        TInode? found;
        lock (_lock)
        {
            if (!_inodes.TryGetValue(key, out found))
            {
                return null;
            }

            found.Pins++;
        }

        TableInode.HandOut(found);
        return found;
    }

    /// <summary>Hands out the inode of a key: the one there is, or else the fresh one, which is kept.</summary>
    public TInode FindOrAdd(TKey key, TInode fresh)
    {
        TInode? found;
        lock (_lock)
        {
            if (!_inodes.TryGetValue(key, out found))
            {
                found = fresh;
                _inodes.Add(key, fresh);
            }

            found.Pins++;
        }

        TableInode.HandOut(found);
        return found;
    }

    /// <summary>The inode's last reference is gone: destroys it unless somebody is about to take a new one.</summary>
    public void OnUnreferenced(TKey key, TInode inode)
    {
        lock (_lock)
        {
            if (inode.Pins > 0 || inode.References > 0 || !_inodes.TryGetValue(key, out TInode? found) || found != inode)
            {
                return;
            }

            _ = _inodes.Remove(key);
        }

        inode.Destroy();
    }

    /// <summary>Takes a pin off.</summary>
    public void Unpin(TKey key, TInode inode)
    {
        lock (_lock)
        {
            inode.Pins--;
        }

        if (inode.References == 0)
        {
            OnUnreferenced(key, inode);
        }
    }

    /// <summary>The inodes there are now.</summary>
    public TInode[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _inodes.Values];
        }
    }
}
