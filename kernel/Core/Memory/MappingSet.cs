// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Memory;

/// <summary>The memory managers that map a source, so that truncation can reach them.</summary>
public sealed class MappingSet
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<MemoryManager, int> _users = [];

    /// <summary>A mapping was made.</summary>
    internal void Add(MemoryManager user)
    {
        lock (_lock)
        {
            _users[user] = _users.GetValueOrDefault(user) + 1;
        }
    }

    /// <summary>A mapping is gone.</summary>
    internal void Remove(MemoryManager user)
    {
        lock (_lock)
        {
            if (_users.TryGetValue(user, out int count))
            {
                if (count == 1)
                {
                    _ = _users.Remove(user);
                }
                else
                {
                    _users[user] = count - 1;
                }
            }
        }
    }

    /// <summary>Whether somebody maps the source shared and may write there (mapping_deny_writable()). The caller holds no lock of a memory manager.</summary>
    public bool HasWriters(MemorySource source)
    {
        MemoryManager[] users;
        lock (_lock)
        {
            users = [.. _users.Keys];
        }

        return Array.Exists(users, user => user.MayWriteTo(source));
    }

    /// <summary>Takes pages back from every mapping: the next touch asks the source again. The caller holds none of the source's locks that <see cref="MemorySource.GetMemory"/> takes.</summary>
    /// <param name="source">The source that this set belongs to.</param>
    /// <param name="offset">First byte, page aligned.</param>
    /// <param name="length">Length in bytes; <see cref="ulong.MaxValue"/> for all behind the offset.</param>
    /// <param name="keepsCopies">Whether private copies of the pages stay: they do unless the file was truncated (unmap_mapping_range()'s even_cows).</param>
    public void Invalidate(MemorySource source, ulong offset, ulong length, bool keepsCopies = false)
    {
        MemoryManager[] users;
        lock (_lock)
        {
            users = [.. _users.Keys];
        }

        foreach (MemoryManager user in users)
        {
            user.InvalidateSource(source, offset, length, keepsCopies);
        }
    }
}
