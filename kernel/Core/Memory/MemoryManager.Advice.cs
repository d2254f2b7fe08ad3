// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>One line of /proc/PID/maps.</summary>
/// <param name="Start">First byte.</param>
/// <param name="End">The byte behind the last.</param>
/// <param name="Access">Protection.</param>
/// <param name="IsShared">MAP_SHARED.</param>
/// <param name="Offset">Offset in the file.</param>
/// <param name="Device">The file's device number.</param>
/// <param name="Inode">The file's inode number.</param>
/// <param name="Name">Path or [name]; "" for none.</param>
/// <param name="ResidentBytes">Memory behind it, at most.</param>
public readonly record struct AreaReport(ulong Start, ulong End, MemoryAccess Access, bool IsShared, ulong Offset, ulong Device, ulong Inode, string Name, Vfs.VfsPath Place, ulong ResidentBytes);

/// <summary>madvise(2), msync(2), mincore(2), mlock(2), truncation, and what /proc reports.</summary>
public sealed partial class MemoryManager
{
    /// <summary>Throws away the contents of a range (MADV_DONTNEED): private memory reads as zeros or as the file again.</summary>
    /// <returns>None; ENOMEM when parts are not mapped; EINVAL when parts are locked.</returns>
    public Errno Discard(ulong start, ulong end)
    {
        lock (_lock)
        {
            Errno error = ForEachVmaLocked(start, end, vma => vma.IsLocked ? Errno.EINVAL : Errno.None);
            if (error is Errno.None or Errno.ENOMEM)
            {
                for (int i = _vmas.IndexFrom(start); i < _vmas.Count && _vmas[i].Start < end; i++)
                {
                    DropPmasLocked(Math.Max(start, _vmas[i].Start), Math.Min(end, _vmas[i].End));
                }
            }

            return error;
        }
    }

    /// <summary>Sets what fork does with a range (MADV_DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK).</summary>
    public Errno SetForkBehaviour(ulong start, ulong end, bool? dontFork, bool? wipeOnFork)
    {
        lock (_lock)
        {
            Errno error = ForEachVmaLocked(start, end, vma => wipeOnFork == true && (vma.IsShared || vma.Source is not null) ? Errno.EINVAL : Errno.None);
            if (error == Errno.EINVAL)
            {
                return error;
            }

            ChangeVmasLocked(start, end, vma =>
            {
                vma.DontFork = dontFork ?? vma.DontFork;
                vma.WipeOnFork = wipeOnFork ?? vma.WipeOnFork;
            });
            return error;
        }
    }

    /// <summary>Whether every page of a range is mapped.</summary>
    public bool IsRangeMapped(ulong start, ulong end)
    {
        lock (_lock)
        {
            return ForEachVmaLocked(start, end, _ => Errno.None) == Errno.None;
        }
    }

    /// <summary>Locks or unlocks a range (mlock(2)); locked memory is made at once and counts towards RLIMIT_MEMLOCK.</summary>
    public Errno SetLocked(ulong start, ulong end, bool isLocked, bool populate)
    {
        lock (_lock)
        {
            Errno error = ForEachVmaLocked(start, end, _ => Errno.None);
            if (error != Errno.None)
            {
                return error;
            }

            ChangeVmasLocked(start, end, vma => vma.IsLocked = isLocked);
            if (isLocked && populate)
            {
                PopulateRangeLocked(start, end);
            }

            return Errno.None;
        }
    }

    /// <summary>Locks or unlocks everything mapped now (mlockall(2)).</summary>
    public void SetAllLocked(bool isLocked)
    {
        lock (_lock)
        {
            foreach (Vma vma in _vmas)
            {
                vma.IsLocked = isLocked;
            }
        }
    }

    /// <summary>Locked memory in bytes.</summary>
    public ulong LockedBytes
    {
        get
        {
            lock (_lock)
            {
                ulong total = 0;
                foreach (Vma vma in _vmas)
                {
                    total += vma.IsLocked ? vma.Length : 0;
                }

                return total;
            }
        }
    }

    /// <summary>Makes the pages of a range now (MADV_POPULATE_READ and _WRITE, MADV_WILLNEED).</summary>
    public void Populate(ulong start, ulong end)
    {
        lock (_lock)
        {
            PopulateRangeLocked(start, end);
        }
    }

    /// <summary>Writes shared file mappings of a range back (msync(2)); ENOMEM when parts are not mapped.</summary>
    public Errno SyncRange(ulong start, ulong end, bool write, bool invalidate)
    {
        List<(MemorySource Source, ulong Offset, ulong Length)> dirty = [];
        Errno error;
        lock (_lock)
        {
            error = ForEachVmaLocked(start, end, vma => invalidate && vma.IsLocked ? Errno.EBUSY : Errno.None);
            if (error == Errno.EBUSY)
            {
                return error;
            }

            for (int i = _vmas.IndexFrom(start); write && i < _vmas.Count && _vmas[i].Start < end; i++)
            {
                Vma vma = _vmas[i];
                if (vma is { IsShared: true, Source: { } source })
                {
                    ulong from = Math.Max(start, vma.Start);
                    source.Reference();
                    dirty.Add((source, vma.OffsetOf(from), Math.Min(end, vma.End) - from));
                }
            }
        }

        foreach ((MemorySource source, ulong offset, ulong length) in dirty)
        {
            Errno failed = source.Sync(offset, length);
            source.Unreference();
            error = error == Errno.None ? failed : error;
        }

        return error;
    }

    /// <summary>Which pages of a range are there (mincore(2)): one byte a page, 1 when it is.</summary>
    public Errno GetResidency(ulong start, Span<byte> pages)
    {
        lock (_lock)
        {
            ulong end = start + ((ulong)pages.Length * PageSize);
            Errno error = ForEachVmaLocked(start, end, _ => Errno.None);
            for (int i = 0; error == Errno.None && i < pages.Length; i++)
            {
                pages[i] = _pmas.Find(start + ((ulong)i * PageSize)) is null ? (byte)0 : (byte)1;
            }

            return error;
        }
    }

    /// <summary>Takes pages of a source back (truncation, a hole, another file in its place): the next touch asks the source again.</summary>
    internal void InvalidateSource(MemorySource source, ulong offset, ulong length, bool keepsCopies)
    {
        ulong limit = length > ulong.MaxValue - offset ? ulong.MaxValue : offset + length;
        lock (_lock)
        {
            for (int i = 0; i < _vmas.Count; i++)
            {
                Vma vma = _vmas[i];
                if (vma.Source != source || vma.Offset >= limit || vma.Offset + vma.Length <= offset)
                {
                    continue;
                }

                ulong start = vma.Start + (offset > vma.Offset ? offset - vma.Offset : 0);
                ulong end = limit - vma.Offset < vma.Length ? vma.Start + (limit - vma.Offset) : vma.End;
                if (keepsCopies)
                {
                    DropSharedPmasLocked(PageDown(start), end);
                }
                else
                {
                    DropPmasLocked(PageDown(start), end);
                }
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void DropSharedPmasLocked(ulong start, ulong end)
    {
        while (start < end)
        {
            int index = _pmas.IndexFrom(start);
            while (index < _pmas.Count && !_pmas[index].IsPrivateCopy && _pmas[index].Start < end)
            {
                index++;
            }

            bool hasCopy = index < _pmas.Count && _pmas[index].Start < end;
            ulong next = hasCopy ? _pmas[index].End : end;
            ulong stop = hasCopy ? Math.Max(_pmas[index].Start, start) : end;
            if (stop > start)
            {
                DropPmasLocked(start, stop);
            }

            start = next;
        }
    }

    /// <summary>Whether a shared mapping may write to a source.</summary>
    internal bool MayWriteTo(MemorySource source)
    {
        lock (_lock)
        {
            foreach (Vma vma in _vmas)
            {
                if (vma.Source == source && vma.IsShared && (vma.MaximumAccess & MemoryAccess.Write) != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Every mapping, in address order.</summary>
    public List<AreaReport> Report()
    {
        List<AreaReport> report = [];
        lock (_lock)
        {
            foreach (Vma vma in _vmas)
            {
                ulong device = 0;
                ulong inode = 0;
                string name = "";
                if (vma.Source is not null)
                {
                    _ = vma.Source.TryDescribe(out device, out inode, out name);
                }

                ulong resident = 0;
                for (int i = _pmas.IndexFrom(vma.Start); i < _pmas.Count && _pmas[i].Start < vma.End; i++)
                {
                    resident += Math.Min(vma.End, _pmas[i].End) - Math.Max(vma.Start, _pmas[i].Start);
                }

                report.Add(new AreaReport(vma.Start, vma.End, vma.Access, vma.IsShared, vma.Offset, device, inode, vma.Name ?? name, vma.Name is null ? vma.Place : default, resident));
            }
        }

        return report;
    }

    /// <summary>All that is mapped, in bytes.</summary>
    public ulong TotalBytes
    {
        get
        {
            lock (_lock)
            {
                return _totalVmBytes;
            }
        }
    }

    /// <summary>Memory that is there, in bytes, at most.</summary>
    public ulong ResidentBytes
    {
        get
        {
            lock (_lock)
            {
                ulong total = 0;
                foreach (Pma pma in _pmas)
                {
                    total += pma.Length;
                }

                return total;
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private Errno ForEachVmaLocked(ulong start, ulong end, Func<Vma, Errno> check)
    {
        ulong at = start;
        Errno result = Errno.None;
        for (int i = _vmas.IndexFrom(start); i < _vmas.Count && _vmas[i].Start < end; i++)
        {
            Errno error = check(_vmas[i]);
            if (error != Errno.None)
            {
                return error;
            }

            result = _vmas[i].Start > at ? Errno.ENOMEM : result;
            at = _vmas[i].End;
        }

        return at < end ? Errno.ENOMEM : result;
    }

    [RequiresLock(nameof(_lock))]
    private void ChangeVmasLocked(ulong start, ulong end, Action<Vma> change)
    {
        SplitVmaAtLocked(start);
        SplitVmaAtLocked(end);
        for (int i = _vmas.IndexFrom(start); i < _vmas.Count && _vmas[i].Start < end; i++)
        {
            change(_vmas[i]);
        }

        MergeLocked(start, end);
    }
}
