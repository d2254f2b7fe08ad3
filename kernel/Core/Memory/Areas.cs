// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>A range of addresses of one kind, kept in an <see cref="AreaList{T}"/>.</summary>
internal abstract class Area
{
    internal ulong Start;
    internal ulong End;

    internal ulong Length => End - Start;
}

/// <summary>What the guest asked for: a virtual memory area (one line of /proc/self/maps).</summary>
internal sealed class Vma : Area
{
    internal MemoryAccess Access;
    internal MemoryAccess MaximumAccess;
    internal bool IsShared;
    internal bool GrowsDown;
    internal bool IsLocked;
    internal bool DontFork;
    internal bool WipeOnFork;
    internal MemorySource? Source;

    /// <summary>Offset in the source of <see cref="Area.Start"/>, in bytes.</summary>
    internal ulong Offset;

    /// <summary>Where the file was when it was mapped, without a reference: its path may be an old one once nobody else uses the name.</summary>
    internal Vfs.VfsPath Place;

    /// <summary>A name for /proc/self/maps such as [heap]; null for the source's path.</summary>
    internal string? Name;

    internal Vma Clone() => (Vma)MemberwiseClone();

    internal ulong OffsetOf(ulong address) => Offset + (address - Start);

    /// <summary>Whether this area, ending where <paramref name="next"/> starts, can be one with it.</summary>
    internal bool CanMerge(Vma next) =>
        End == next.Start && Access == next.Access && MaximumAccess == next.MaximumAccess && IsShared == next.IsShared && GrowsDown == next.GrowsDown &&
        IsLocked == next.IsLocked && DontFork == next.DontFork && WipeOnFork == next.WipeOnFork && Source == next.Source && Name == next.Name &&
        (Source is null || Offset + Length == next.Offset);
}

/// <summary>What is there: memory behind a range of a VMA, and how much of it the hardware has been told.</summary>
internal sealed class Pma : Area
{
    internal required MemoryFile File;

    /// <summary>Offset in the file of <see cref="Area.Start"/>, in bytes.</summary>
    internal ulong Offset;

    /// <summary>Whether the pages may be shared with others and must be copied before a write.</summary>
    internal bool NeedsCopy;

    /// <summary>Whether it holds a private copy of a file's pages, which a change of the file no longer touches.</summary>
    internal bool IsPrivateCopy;

    /// <summary>What the address space allows there; null when nothing is mapped.</summary>
    internal MemoryAccess? Installed;

    /// <summary>Whether all pages were in memory when it was made.</summary>
    internal bool IsThere;

    /// <summary>Whether it was copied at a fork that has not ended, so that a copied address space still maps the parent's pages there.</summary>
    internal bool IsOwnAtFork;

    internal ulong OffsetOf(ulong address) => Offset + (address - Start);

    /// <summary>The part of this from an address on, or all of it; the caller counts the reference.</summary>
    internal Pma CopyFrom(ulong start) => new()
    {
        Start = start,
        End = End,
        File = File,
        Offset = OffsetOf(start),
        NeedsCopy = NeedsCopy,
        IsPrivateCopy = IsPrivateCopy,
        Installed = Installed,
        IsThere = IsThere,
        IsOwnAtFork = IsOwnAtFork,
    };
}

/// <summary>Areas in address order, none overlapping.</summary>
internal sealed class AreaList<T>
    where T : Area
{
    private readonly List<T> _areas = [];

    internal int Count => _areas.Count;

    internal T this[int index] => _areas[index];

    public List<T>.Enumerator GetEnumerator() => _areas.GetEnumerator();

    /// <summary>The index of the first area that ends behind the address; <see cref="Count"/> when there is none.</summary>
    internal int IndexFrom(ulong address)
    {
        int low = 0;
        int high = _areas.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_areas[middle].End > address)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    /// <summary>The area that holds the address, or null.</summary>
    internal T? Find(ulong address)
    {
        int index = IndexFrom(address);
        return index < _areas.Count && _areas[index].Start <= address ? _areas[index] : null;
    }

    internal void Insert(T area) => _areas.Insert(IndexFrom(area.Start), area);

    internal void InsertAt(int index, T area) => _areas.Insert(index, area);

    internal void RemoveAt(int index) => _areas.RemoveAt(index);

    internal void RemoveRange(int index, int count) => _areas.RemoveRange(index, count);

    internal void Add(T area) => _areas.Add(area);

    internal void Clear() => _areas.Clear();
}
