// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>mremap(2) (mm/mremap.c) and remap_file_pages(2) (mm/mmap.c).</summary>
public sealed partial class MemoryManager
{
    /// <summary>Shows another part of its file in a range of a shared mapping (remap_file_pages(2)), as a mapping of its own.</summary>
    /// <param name="address">First byte; rounded down to a page.</param>
    /// <param name="length">Length in bytes; rounded down to pages.</param>
    /// <param name="page">Which page of the file comes first.</param>
    /// <param name="populate">Whether to make the pages now.</param>
    /// <returns>None, EINVAL, EOVERFLOW, ENOMEM.</returns>
    public Errno RemapFilePages(UserPtr address, ulong length, ulong page, bool populate)
    {
        const ulong LargestFilePages = 1UL << 51;
        ulong start = PageDown(address.Address);
        length = PageDown(length);
        ulong pages = length / PageSize;
        if (length == 0 || start > ulong.MaxValue - length || page > ulong.MaxValue - pages)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            Vma? first = _vmas.Find(start);
            if (first is not { IsShared: true, Source: not null } || (first.MaximumAccess & MemoryAccess.Write) == 0)
            {
                return Errno.EINVAL;
            }

            // A range that was remapped before is many areas: all must be of the same file and protection.
            ulong end = start + length;
            ulong covered = first.End;
            for (int i = _vmas.IndexFrom(start) + 1; covered < end; i++)
            {
                Vma? next = i < _vmas.Count ? _vmas[i] : null;
                if (next is null || next.Start != covered || next.Source != first.Source || next.Access != first.Access || next.IsShared != first.IsShared || next.IsLocked != first.IsLocked)
                {
                    return Errno.EINVAL;
                }

                covered = next.End;
            }

            if (page >= LargestFilePages || pages > LargestFilePages - page)
            {
                return Errno.EOVERFLOW;
            }

            MapRequest request = new()
            {
                Length = length,
                Offset = page * PageSize,
                Access = first.Access,
                MaximumAccess = first.MaximumAccess,
                IsShared = true,
                Source = first.Source,
                Name = first.Name,
                Place = first.Place,
            };

            // The old pages may be all that keeps the source.
            request.Source.Reference();
            Errno error = MapLocked(request, length, start, Placement.Fixed, growsDown: false, out _);
            request.Source.Unreference();
            if (error == Errno.None && populate)
            {
                PopulateRangeLocked(start, end);
            }

            return error;
        }
    }

    /// <summary>Moves or resizes a mapping (mremap(2)).</summary>
    /// <param name="address">The old mapping, page aligned.</param>
    /// <param name="oldLength">Its length in bytes; 0 for a second mapping of shared memory.</param>
    /// <param name="newLength">The new length in bytes.</param>
    /// <param name="mayMove">MREMAP_MAYMOVE.</param>
    /// <param name="target">MREMAP_FIXED: exactly there; null otherwise.</param>
    /// <param name="keepOld">MREMAP_DONTUNMAP.</param>
    /// <param name="mapped">Where it lies.</param>
    public Errno Remap(UserPtr address, ulong oldLength, ulong newLength, bool mayMove, UserPtr? target, bool keepOld, out UserPtr mapped)
    {
        mapped = default;
        ulong old = address.Address;
        if ((old & PageMask) != 0 || !TryPageUp(oldLength, out oldLength) || !TryPageUp(newLength, out newLength) || newLength == 0 ||
            newLength > _layout.MaximumAddress || oldLength > _layout.MaximumAddress || old > _layout.MaximumAddress - oldLength)
        {
            return Errno.EINVAL;
        }

        if (target is { } fixedTo)
        {
            ulong to = fixedTo.Address;
            if ((to & PageMask) != 0 || to > _layout.MaximumAddress - newLength || to < _layout.MinimumAddress || (to < old + oldLength && old < to + newLength))
            {
                return Errno.EINVAL;
            }
        }

        lock (_lock)
        {
            Vma? vma = _vmas.Find(old);
            if (vma is null)
            {
                return Errno.EFAULT;
            }

            if (oldLength == 0 && !vma.IsShared)
            {
                return Errno.EINVAL;
            }

            if (keepOld && (oldLength != newLength || vma.IsShared || vma.Source is not null))
            {
                return Errno.EINVAL;
            }

            if (target is null && newLength < oldLength)
            {
                UnmapLocked(old + newLength, old + oldLength);
                mapped = address;
                return Errno.None;
            }

            if (target is null && newLength == oldLength && !keepOld)
            {
                mapped = address;
                return Errno.None;
            }

            if (old + oldLength > vma.End)
            {
                return Errno.EFAULT;
            }

            if (newLength > oldLength && newLength - oldLength > AddressSpaceLimitBytes - Math.Min(AddressSpaceLimitBytes, _totalVmBytes))
            {
                return Errno.ENOMEM;
            }

            if (target is null && !keepOld && oldLength != 0 && old + oldLength == vma.End && IsFreeLocked(vma.End, old + newLength) && old + newLength <= _layout.MaximumAddress)
            {
                _totalVmBytes += newLength - oldLength;
                ReturnBorrowedLocked(vma.End, old + newLength);
                vma.End = old + newLength;
                mapped = address;
                return Errno.None;
            }

            if (!mayMove && target is null)
            {
                return Errno.ENOMEM;
            }

            ulong destination;
            if (target is { } exact)
            {
                destination = exact.Address;
                UnmapLocked(destination, destination + newLength);
                if (newLength < oldLength)
                {
                    UnmapLocked(old + newLength, old + oldLength);
                    oldLength = newLength;
                }

                vma = _vmas.Find(old)!;
            }
            else if (!TryFindGapLocked(0, newLength, out destination))
            {
                return Errno.ENOMEM;
            }

            MoveLocked(vma, old, oldLength, destination, newLength, keepOld);
            mapped = new UserPtr(destination);
            return Errno.None;
        }
    }

    [RequiresLock(nameof(_lock))]
    private void MoveLocked(Vma vma, ulong old, ulong oldLength, ulong destination, ulong newLength, bool keepOld)
    {
        Vma moved = vma.Clone();
        moved.Offset = vma.OffsetOf(old);
        moved.Start = destination;
        moved.End = destination + newLength;
        moved.GrowsDown = false;
        TakeSourceLocked(moved);
        ReturnBorrowedLocked(moved.Start, moved.End);
        _vmas.Insert(moved);
        _totalVmBytes += newLength;

        SplitPmaAtLocked(old);
        SplitPmaAtLocked(old + oldLength);
        for (int i = _pmas.IndexFrom(old); i < _pmas.Count && _pmas[i].Start < old + oldLength;)
        {
            Pma pma = _pmas[i];
            UninstallLocked(pma, Via);
            _pmas.RemoveAt(i);
            pma.Start = pma.Start - old + destination;
            pma.End = pma.End - old + destination;
            _pmas.Insert(pma);
            if (destination < old)
            {
                i++;
            }
        }

        if (!keepOld && oldLength != 0)
        {
            UnmapLocked(old, old + oldLength);
        }
    }
}
