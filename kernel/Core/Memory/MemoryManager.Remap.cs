// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Memory;

/// <summary>mremap(2) (mm/mremap.c).</summary>
public sealed partial class MemoryManager
{
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
