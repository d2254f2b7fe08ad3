// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>How a mapping's address is chosen.</summary>
public enum Placement
{
    /// <summary>Anywhere; the address is a hint.</summary>
    Hint,

    /// <summary>Exactly there, replacing what is there (MAP_FIXED).</summary>
    Fixed,

    /// <summary>Exactly there, or EEXIST (MAP_FIXED_NOREPLACE).</summary>
    FixedNoReplace,
}

/// <summary>mmap(2) and its family. Errors and rounding are Linux's (mm/mmap.c, mm/mprotect.c, mm/mremap.c).</summary>
public sealed partial class MemoryManager
{
    private const int MaximumAreas = 65530;

    /// <summary>Makes a mapping.</summary>
    /// <param name="request">What; its length is rounded up to pages and must not be 0.</param>
    /// <param name="address">The hint or the address.</param>
    /// <param name="placement">How the address counts.</param>
    /// <param name="growsDown">MAP_GROWSDOWN.</param>
    /// <param name="populate">MAP_POPULATE or MAP_LOCKED: make the pages now.</param>
    /// <param name="mapped">Where it lies.</param>
    /// <returns>None, EINVAL, ENOMEM, EEXIST, EPERM.</returns>
    public Errno Map(in MapRequest request, ulong address, Placement placement, bool growsDown, bool populate, out UserPtr mapped)
    {
        mapped = default;
        if (!TryPageUp(request.Length, out ulong length))
        {
            return Errno.ENOMEM;
        }

        lock (_lock)
        {
            Errno error = MapLocked(request, length, address, placement, growsDown, out ulong start);
            if (error != Errno.None)
            {
                return error;
            }

            mapped = new UserPtr(start);
            if (populate)
            {
                PopulateRangeLocked(start, start + length);
            }

            return Errno.None;
        }
    }

    /// <summary>Removes the mappings of a range (munmap(2)).</summary>
    public Errno Unmap(UserPtr address, ulong length)
    {
        if ((address.Address & PageMask) != 0 || length == 0 || !TryPageUp(length, out length) || address.Address > _layout.MaximumAddress || length > _layout.MaximumAddress - address.Address)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            UnmapLocked(address.Address, address.Address + length);
        }

        return Errno.None;
    }

    /// <summary>Changes the protection of a range (mprotect(2)).</summary>
    /// <param name="address">First byte, page aligned.</param>
    /// <param name="length">Length in bytes.</param>
    /// <param name="access">The new protection.</param>
    /// <param name="extendDown">PROT_GROWSDOWN: from the start of the area.</param>
    public Errno Protect(UserPtr address, ulong length, MemoryAccess access, bool extendDown)
    {
        if ((address.Address & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        if (length == 0)
        {
            return Errno.None;
        }

        if (!TryPageUp(length, out length) || address.Address > _layout.MaximumAddress || length > _layout.MaximumAddress - address.Address)
        {
            return Errno.ENOMEM;
        }

        lock (_lock)
        {
            ulong start = address.Address;
            ulong end = start + length;
            if (extendDown)
            {
                Vma? area = _vmas.Find(start);
                if (area is null || !area.GrowsDown)
                {
                    return area is null ? Errno.ENOMEM : Errno.EINVAL;
                }

                start = area.Start;
            }

            ulong at = start;
            for (int i = _vmas.IndexFrom(start); at < end; i++)
            {
                if (i >= _vmas.Count || _vmas[i].Start > at)
                {
                    return Errno.ENOMEM;
                }

                Vma vma = _vmas[i];
                if ((access & ~vma.MaximumAccess) != 0)
                {
                    return Errno.EACCES;
                }

                ulong pieceEnd = Math.Min(end, vma.End);
                if (vma.Access != access)
                {
                    vma = IsolateLocked(ref i, at, pieceEnd);
                    vma.Access = access;
                    ReprotectLocked(vma);
                }

                at = pieceEnd;
            }

            MergeLocked(start, end);
            return Errno.None;
        }
    }

    /// <summary>Sets the end of the heap (brk(2)).</summary>
    /// <returns>The end afterwards: the old one when it could not be moved.</returns>
    public ulong SetBreak(ulong requested)
    {
        lock (_lock)
        {
            if (requested < _breakStart || requested > _layout.MaximumAddress || requested - _breakStart > DataLimitBytes)
            {
                return _break;
            }

            ulong oldEnd = PageDown(_break + PageMask);
            ulong newEnd = PageDown(requested + PageMask);
            if (newEnd < oldEnd)
            {
                UnmapLocked(newEnd, oldEnd);
            }
            else if (newEnd > oldEnd)
            {
                MapRequest request = new() { Length = newEnd - oldEnd, Access = MemoryAccess.Read | MemoryAccess.Write, MaximumAccess = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute, Name = "[heap]" };
                if (MapLocked(request, newEnd - oldEnd, oldEnd, Placement.FixedNoReplace, false, out _) != Errno.None)
                {
                    return _break;
                }
            }

            return _break = requested;
        }
    }

    /// <summary>Sets where the heap begins; for the loader.</summary>
    public void InitializeBreak(ulong start)
    {
        lock (_lock)
        {
            ulong begin = PageDown(start + PageMask) + _layout.BreakOffset;
            ulong borrowedEnd = Space.BorrowedRange.End;
            _breakStart = _break = begin < borrowedEnd ? borrowedEnd + _layout.BreakOffset : begin; // a heap grows: it begins behind what the platform borrows
        }
    }

    [RequiresLock(nameof(_lock))]
    private Errno MapLocked(in MapRequest request, ulong length, ulong address, Placement placement, bool growsDown, out ulong start)
    {
        start = 0;
        if (length == 0)
        {
            return Errno.EINVAL;
        }

        if (length > _layout.MaximumAddress - _layout.MinimumAddress || length > AddressSpaceLimitBytes - Math.Min(AddressSpaceLimitBytes, _totalVmBytes) || _vmas.Count >= MaximumAreas)
        {
            return Errno.ENOMEM;
        }

        if (placement == Placement.Hint)
        {
            ulong hint = PageDown(address);
            if (!TryFindGapLocked(hint, length, out start))
            {
                return Errno.ENOMEM;
            }
        }
        else
        {
            if ((address & PageMask) != 0)
            {
                return Errno.EINVAL;
            }

            if (address > _layout.MaximumAddress - length)
            {
                return Errno.ENOMEM;
            }

            if (address < _layout.MinimumAddress)
            {
                return Errno.EPERM;
            }

            start = address;
            if (!IsFreeLocked(start, start + length))
            {
                if (placement == Placement.FixedNoReplace)
                {
                    return Errno.EEXIST;
                }

                UnmapLocked(start, start + length);
            }
        }

        ReturnBorrowedLocked(start, start + length);
        Vma vma = new()
        {
            Start = start,
            End = start + length,
            Access = request.Access,
            MaximumAccess = request.MaximumAccess,
            IsShared = request.IsShared,
            GrowsDown = growsDown,
            Source = request.Source,
            Offset = request.Offset,
            Name = request.Name,
            Place = request.Place,
        };
        TakeSourceLocked(vma);
        _totalVmBytes += length;
        _vmas.Insert(vma);
        MergeLocked(start, start + length);
        return Errno.None;
    }

    [RequiresLock(nameof(_lock))]
    private void UnmapLocked(ulong start, ulong end)
    {
        SplitVmaAtLocked(start);
        SplitVmaAtLocked(end);
        int first = _vmas.IndexFrom(start);
        int last = first;
        for (; last < _vmas.Count && _vmas[last].Start < end; last++)
        {
            _totalVmBytes -= _vmas[last].Length;
            DropSourceLocked(_vmas[last]);
        }

        _vmas.RemoveRange(first, last - first);
        DropPmasLocked(start, end);
    }

    /// <summary>Takes away and gives back the memory of a range. Whole VMAs or not: PMAs are cut at the ends.</summary>
    [RequiresLock(nameof(_lock))]
    private void DropPmasLocked(ulong start, ulong end)
    {
        SplitPmaAtLocked(start);
        SplitPmaAtLocked(end);
        int first = _pmas.IndexFrom(start);
        int last = first;
        ulong installedStart = ulong.MaxValue;
        ulong installedEnd = 0;
        GuestContext? via = Via;
        for (; last < _pmas.Count && _pmas[last].Start < end; last++)
        {
            Pma pma = _pmas[last];
            if (pma.Installed is not null)
            {
                if (via is null)
                {
                    UninstallLocked(pma, via);
                }
                else
                {
                    installedStart = Math.Min(installedStart, pma.Start);
                    installedEnd = pma.End;
                }
            }
        }

        if (installedEnd > installedStart)
        {
            Space.Unmap(via!, installedStart, installedEnd - installedStart);
        }

        for (int i = first; i < last; i++)
        {
            _pmas[i].File.Unreference(_pmas[i].Offset, _pmas[i].Length);
        }

        _pmas.RemoveRange(first, last - first);
    }

    [RequiresLock(nameof(_lock))]
    private void SplitVmaAtLocked(ulong address)
    {
        int index = _vmas.IndexFrom(address);
        if (index >= _vmas.Count || _vmas[index].Start >= address)
        {
            return;
        }

        Vma head = _vmas[index];
        Vma tail = head.Clone();
        tail.Offset = head.OffsetOf(address);
        tail.Start = address;
        head.End = address;
        TakeSourceLocked(tail);
        _vmas.InsertAt(index + 1, tail);
        SplitPmaAtLocked(address);
    }

    [RequiresLock(nameof(_lock))]
    private void SplitPmaAtLocked(ulong address)
    {
        if (_pmas.Find(address) is { } pma && pma.Start < address)
        {
            _ = SplitLocked(pma, pma.Start, address);
        }
    }

    /// <summary>Cuts the VMA at an index so that one covers exactly a range of it; the index is moved to that one.</summary>
    [RequiresLock(nameof(_lock))]
    private Vma IsolateLocked(ref int index, ulong start, ulong end)
    {
        if (_vmas[index].Start < start)
        {
            SplitVmaAtLocked(start);
            index++;
        }

        SplitVmaAtLocked(end);
        return _vmas[index];
    }

    [RequiresLock(nameof(_lock))]
    private void ReprotectLocked(Vma vma)
    {
        GuestContext? via = Via;
        ulong runStart = 0;
        ulong runEnd = 0;
        MemoryAccess runAccess = MemoryAccess.None;
        SplitPmaAtLocked(vma.Start);
        SplitPmaAtLocked(vma.End);
        for (int i = _pmas.IndexFrom(vma.Start); i < _pmas.Count && _pmas[i].Start < vma.End; i++)
        {
            Pma pma = _pmas[i];
            MemoryAccess access = pma.NeedsCopy ? vma.Access & ~MemoryAccess.Write : vma.Access;
            bool isStillNoMore = pma.Installed is { } before && (before & MemoryAccess.Execute) != 0 && (vma.Access & MemoryAccess.Write) != 0 && pma.File.IsStill;
            if (pma.Installed is null || (pma.Installed == access && !isStillNoMore))
            {
                continue;
            }

            if (via is null || access == MemoryAccess.None || isStillNoMore)
            {
                UninstallLocked(pma, via);
                continue;
            }

            pma.Installed = access;
            if (runEnd != pma.Start || runAccess != access)
            {
                Flush();
                runStart = pma.Start;
                runAccess = access;
            }

            runEnd = pma.End;
        }

        Flush();

        void Flush()
        {
            if (runEnd > runStart)
            {
                Space.Protect(via!, runStart, runEnd - runStart, (runAccess & MemoryAccess.Write) != 0 ? runAccess | MemoryAccess.Read : runAccess);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void MergeLocked(ulong start, ulong end)
    {
        int i = Math.Max(0, _vmas.IndexFrom(start) - 1);
        while (i + 1 < _vmas.Count && _vmas[i].Start <= end)
        {
            Vma vma = _vmas[i];
            Vma next = _vmas[i + 1];
            if (vma.CanMerge(next))
            {
                DropSourceLocked(next);
                vma.End = next.End;
                _vmas.RemoveAt(i + 1);
            }
            else
            {
                i++;
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool IsFreeLocked(ulong start, ulong end)
    {
        int index = _vmas.IndexFrom(start);
        return index >= _vmas.Count || _vmas[index].Start >= end;
    }

    /// <summary>Before a mapping is made: what the platform has there meanwhile goes away.</summary>
    [RequiresLock(nameof(_lock))]
    private void ReturnBorrowedLocked(ulong start, ulong end)
    {
        (ulong borrowed, ulong borrowedEnd) = Space.BorrowedRange;
        if (start < borrowedEnd && borrowed < end)
        {
            Space.ReturnBorrowed(Via);
        }
    }

    /// <summary>Finds room: at the hint when it is free, else below <see cref="MemoryLayout.MapTop"/> downwards, else anywhere above.</summary>
    [RequiresLock(nameof(_lock))]
    private bool TryFindGapLocked(ulong hint, ulong length, out ulong start)
    {
        if (hint >= _layout.MinimumAddress && hint <= _layout.MaximumAddress - length && IsFreeLocked(hint, hint + length))
        {
            start = hint;
            return true;
        }

        ulong top = _layout.MapTop;
        for (int i = _vmas.IndexFrom(top); i >= 0; i--)
        {
            ulong bottom = i > 0 ? _vmas[i - 1].End : _layout.MinimumAddress;
            ulong ceiling = i < _vmas.Count ? Math.Min(top, GapCeiling(_vmas[i])) : top;
            if (ceiling > bottom && ceiling - bottom >= length)
            {
                start = ceiling - length;
                return true;
            }
        }

        for (int i = _vmas.IndexFrom(top); i <= _vmas.Count; i++)
        {
            ulong bottom = i > 0 ? Math.Max(top, _vmas[i - 1].End) : top;
            ulong ceiling = i < _vmas.Count ? GapCeiling(_vmas[i]) : _layout.MaximumAddress;
            if (ceiling > bottom && ceiling - bottom >= length)
            {
                start = bottom;
                return true;
            }
        }

        start = 0;
        return false;
    }

    private static ulong GapCeiling(Vma vma)
    {
        const ulong GuardGap = 256 * PageSize;
        return vma.GrowsDown ? vma.Start - Math.Min(vma.Start, GuardGap) : vma.Start;
    }

    [RequiresLock(nameof(_lock))]
    private void PopulateRangeLocked(ulong start, ulong end)
    {
        GuestContext? via = Via;
        for (ulong at = start; at < end;)
        {
            Vma? vma = _vmas.Find(at);
            if (vma is null || vma.Access == MemoryAccess.None)
            {
                return;
            }

            if (TouchLocked(vma, at, (vma.Access & MemoryAccess.Write) != 0, via, out Pma? pma) != Errno.None)
            {
                return; // Linux ignores failures of MAP_POPULATE, too.
            }

            InstallLocked(vma, pma!, at, via);
            at = Math.Min(vma.End, _pmas.Find(at)!.End);
        }
    }
}
