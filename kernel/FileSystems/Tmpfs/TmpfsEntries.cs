// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>The entries of a directory: found by name, listed by a position that an entry keeps for life, so that a listing misses nothing while others come and go.</summary>
internal sealed class TmpfsEntries
{
    /// <summary>The first position of an entry: "." and ".." come before.</summary>
    internal const long FirstPosition = 2;

    private readonly Dictionary<string, Entry> _byName = new(StringComparer.Ordinal);
    private readonly List<Entry> _inOrder = [];
    private long _next = FirstPosition;

    /// <summary>An entry.</summary>
    internal sealed class Entry(string name, TmpfsInode inode, long position)
    {
        internal string Name { get; } = name;

        internal TmpfsInode Inode { get; set; } = inode;

        internal long Position { get; } = position;

        internal bool IsRemoved { get; set; }
    }

    internal int Count => _byName.Count;

    internal Entry? Find(string name) => _byName.GetValueOrDefault(name);

    internal void Add(string name, TmpfsInode inode)
    {
        Entry entry = new(name, inode, _next++);
        _byName.Add(name, entry);
        _inOrder.Add(entry);
    }

    internal Entry? Remove(string name)
    {
        if (!_byName.Remove(name, out Entry? entry))
        {
            return null;
        }

        entry.IsRemoved = true;
        if (_inOrder.Count > 32 && _byName.Count < _inOrder.Count / 2)
        {
            _ = _inOrder.RemoveAll(each => each.IsRemoved);
        }

        return entry;
    }

    /// <summary>The first entry at or behind a position, or null.</summary>
    internal Entry? From(long position)
    {
        int low = 0;
        int high = _inOrder.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_inOrder[middle].Position < position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        while (low < _inOrder.Count && _inOrder[low].IsRemoved)
        {
            low++;
        }

        return low < _inOrder.Count ? _inOrder[low] : null;
    }

    internal Entry[] RemoveAll()
    {
        Entry[] all = [.. _byName.Values];
        _byName.Clear();
        _inOrder.Clear();
        return all;
    }
}
