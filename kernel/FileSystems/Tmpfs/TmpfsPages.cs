// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>The page table of a file: which page of it lies where in the sandbox memory. A page that is not there reads as zeros.</summary>
/// <remarks>The leaf lock of a file: taken with a memory manager's lock held (a page fault), and nothing is copied under it. Pages go only with the file's I/O lock held too.</remarks>
internal sealed class TmpfsPages(TmpfsFileSystem fileSystem)
{
    private const int ChunkBits = 9;
    private const ulong ChunkPages = 1UL << ChunkBits;
    private const ulong PageSize = MemoryManager.PageSize;

    /// <summary>The longest run looked up or made at once, in pages.</summary>
    private const ulong RunPages = 1024;

    private readonly Lock _lock = new();

    /// <summary>By page number / 512: the page's offset in the memory plus one; 0 for a hole.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<ulong, ulong[]> _chunks = [];

    /// <summary>Memory set aside behind the last page, so that a file that grows step by step stays in one piece.</summary>
    [GuardedBy(nameof(_lock))]
    private (ulong Offset, ulong Pages) _reserve;
    private long _size;
    private long _count;

    /// <summary>The file's length in bytes.</summary>
    internal long Size => Volatile.Read(ref _size);

    /// <summary>Pages that are there.</summary>
    internal long Count => Volatile.Read(ref _count);

    /// <summary>Sets the length. Pages behind it are the caller's to remove.</summary>
    internal void SetSize(long size)
    {
        lock (_lock)
        {
            Volatile.Write(ref _size, size);
        }
    }

    /// <summary>Finds the run at a page.</summary>
    /// <param name="page">The first page.</param>
    /// <param name="maximum">The longest useful answer in pages; at least 1.</param>
    /// <param name="offset">Where it lies in the memory, when it is there.</param>
    /// <param name="length">How many pages are contiguous, or missing.</param>
    /// <returns>Whether the pages are there.</returns>
    internal bool Find(ulong page, ulong maximum, out ulong offset, out ulong length)
    {
        lock (_lock)
        {
            return FindLocked(page, Math.Min(maximum, RunPages), out offset, out length);
        }
    }

    /// <summary>Makes the missing pages at the start of a range, some of them at least.</summary>
    /// <param name="page">A missing page.</param>
    /// <param name="maximum">How many missing pages are wanted.</param>
    /// <param name="length">How many were made.</param>
    /// <returns>None, ENOSPC (the file system is full) or ENOMEM.</returns>
    internal Errno Make(ulong page, ulong maximum, out ulong length)
    {
        lock (_lock)
        {
            return MakeLocked(page, Math.Min(maximum, RunPages), out _, out length);
        }
    }

    /// <summary>The memory behind a page for a mapping, made when missing, with references.</summary>
    internal Errno GetMemory(ulong page, ulong maximum, out MemoryExtent extent)
    {
        extent = default;
        lock (_lock)
        {
            ulong end = ((ulong)Volatile.Read(ref _size) + PageSize - 1) / PageSize;
            if (page >= end)
            {
                return Errno.ENXIO;
            }

            maximum = Math.Min(maximum, end - page);
            if (!FindLocked(page, Math.Min(maximum, 1UL << 20), out ulong offset, out ulong length))
            {
                Errno error = MakeLocked(page, Math.Min(length, 16), out offset, out length);
                error = error == Errno.ENOSPC ? MakeLocked(page, 1, out offset, out length) : error;
                if (error != Errno.None)
                {
                    return error == Errno.ENOSPC ? Errno.ENXIO : error; // A full tmpfs is SIGBUS.
                }
            }

            extent = new MemoryExtent(fileSystem.Memory, offset, length * PageSize);
            fileSystem.Memory.Reference(extent.Offset, extent.Length);
            return Errno.None;
        }
    }

    /// <summary>Removes the pages of a range from the table; <see cref="Free"/> gives them back once no mapping leads to them by this file.</summary>
    /// <param name="first">First page.</param>
    /// <param name="end">The page behind the last.</param>
    /// <returns>Runs in the memory, in bytes.</returns>
    internal List<(ulong Offset, ulong Length)> Remove(ulong first, ulong end)
    {
        List<(ulong Offset, ulong Length)> runs = [];
        lock (_lock)
        {
            List<ulong> touched = [];
            foreach (ulong chunk in _chunks.Keys)
            {
                if (chunk >= first >> ChunkBits && chunk <= (end - 1) >> ChunkBits)
                {
                    touched.Add(chunk);
                }
            }

            touched.Sort();
            foreach (ulong chunk in touched)
            {
                RemoveFromChunkLocked(chunk, first, end, runs);
            }

            if (_reserve.Pages > 0)
            {
                runs.Add((_reserve.Offset, _reserve.Pages * PageSize));
                _reserve = default;
            }
        }

        return runs;
    }

    /// <summary>Gives removed pages back.</summary>
    internal void Free(List<(ulong Offset, ulong Length)> runs)
    {
        foreach ((ulong offset, ulong length) in runs)
        {
            fileSystem.Memory.Unreference(offset, length);
        }
    }

    /// <summary>The first page at or behind one that is there (or, with <paramref name="wantsHole"/>, is not) below an end; the end when there is none.</summary>
    internal ulong FindNext(ulong page, ulong end, bool wantsHole)
    {
        lock (_lock)
        {
            while (page < end)
            {
                if (!_chunks.TryGetValue(page >> ChunkBits, out ulong[]? chunk))
                {
                    if (wantsHole)
                    {
                        return page;
                    }

                    page = NextChunkLocked(page >> ChunkBits, end);
                    continue;
                }

                if ((chunk[page & (ChunkPages - 1)] == 0) == wantsHole)
                {
                    return page;
                }

                page++;
            }

            return end;
        }
    }

    [RequiresLock(nameof(_lock))]
    private ulong NextChunkLocked(ulong chunk, ulong end)
    {
        ulong next = end;
        foreach (ulong each in _chunks.Keys)
        {
            next = each > chunk ? Math.Min(next, each << ChunkBits) : next;
        }

        return next;
    }

    [RequiresLock(nameof(_lock))]
    private void RemoveFromChunkLocked(ulong chunk, ulong first, ulong end, List<(ulong Offset, ulong Length)> runs)
    {
        ulong[] pages = _chunks[chunk];
        ulong start = chunk << ChunkBits;
        ulong low = Math.Max(first, start) - start;
        ulong high = Math.Min(end - start, ChunkPages);
        for (ulong i = low; i < high; i++)
        {
            if (pages[i] == 0)
            {
                continue;
            }

            ulong offset = pages[i] - 1;
            pages[i] = 0;
            _count--;
            fileSystem.ReturnPages(1);
            if (runs.Count > 0 && runs[^1].Offset + runs[^1].Length == offset)
            {
                runs[^1] = (runs[^1].Offset, runs[^1].Length + PageSize);
            }
            else
            {
                runs.Add((offset, PageSize));
            }
        }

        if (low == 0 && high == ChunkPages)
        {
            _ = _chunks.Remove(chunk);
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool FindLocked(ulong page, ulong maximum, out ulong offset, out ulong length)
    {
        ulong entry = EntryLocked(page);
        length = 1;
        if (entry == 0)
        {
            offset = 0;
            while (length < maximum && EntryLocked(page + length) == 0)
            {
                length++;
            }

            return false;
        }

        offset = entry - 1;
        while (length < maximum && EntryLocked(page + length) == entry + (length * PageSize))
        {
            length++;
        }

        return true;
    }

    [RequiresLock(nameof(_lock))]
    private ulong EntryLocked(ulong page) => _chunks.TryGetValue(page >> ChunkBits, out ulong[]? chunk) ? chunk[page & (ChunkPages - 1)] : 0;

    [RequiresLock(nameof(_lock))]
    private Errno MakeLocked(ulong page, ulong maximum, out ulong offset, out ulong length)
    {
        length = 1;
        while (length < maximum && EntryLocked(page + length) == 0)
        {
            length++;
        }

        offset = 0;
        if (!fileSystem.TryTakePages(length))
        {
            length = 1;
            if (!fileSystem.TryTakePages(1))
            {
                length = 0;
                return Errno.ENOSPC;
            }
        }

        Errno error = TakeMemoryLocked(length, out offset);
        if (error != Errno.None)
        {
            fileSystem.ReturnPages(length);
            length = 0;
            return error;
        }

        for (ulong i = 0; i < length; i++)
        {
            ulong at = page + i;
            if (!_chunks.TryGetValue(at >> ChunkBits, out ulong[]? chunk))
            {
                chunk = new ulong[ChunkPages];
                _chunks.Add(at >> ChunkBits, chunk);
            }

            chunk[at & (ChunkPages - 1)] = offset + (i * PageSize) + 1;
        }

        _count += (long)length;
        return Errno.None;
    }

    [RequiresLock(nameof(_lock))]
    private Errno TakeMemoryLocked(ulong pages, out ulong offset)
    {
        if (_reserve.Pages >= pages)
        {
            offset = _reserve.Offset;
            _reserve = (_reserve.Offset + (pages * PageSize), _reserve.Pages - pages);
            return Errno.None;
        }

        // A file that has grown is likely to grow on: as much again as it has, within bounds.
        ulong extra = _count < 4 ? 0 : Math.Min((ulong)_count, 256);
        Errno error = fileSystem.Memory.Allocate((pages + extra) * PageSize, out offset);
        if (error == Errno.None && extra > 0)
        {
            if (_reserve.Pages > 0)
            {
                fileSystem.Memory.Unreference(_reserve.Offset, _reserve.Pages * PageSize);
            }

            _reserve = (offset + (pages * PageSize), extra);
        }

        return error;
    }
}
