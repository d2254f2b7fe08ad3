// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>madvise, msync, mincore, mlock, mlock2, munlock, mlockall, munlockall.</content>
public static partial class Handlers
{
    private const int MadvNormal = 0, MadvRandom = 1, MadvSequential = 2, MadvWillNeed = 3, MadvDontNeed = 4, MadvFree = 8, MadvDontFork = 10, MadvDoFork = 11, MadvMergeable = 12,
        MadvUnmergeable = 13, MadvHugePage = 14, MadvNoHugePage = 15, MadvDontDump = 16, MadvDoDump = 17, MadvWipeOnFork = 18, MadvKeepOnFork = 19, MadvCold = 20, MadvPageOut = 21,
        MadvPopulateRead = 22, MadvPopulateWrite = 23;

    private const int MsAsync = 1, MsInvalidate = 2, MsSync = 4;

    /// <summary>madvise(2)</summary>
    public static partial SyscallResult Madvise(Task task, UserPtr addr, ulong length, int advice)
    {
        Errno error = RangeOf(addr, length, Errno.EINVAL, out ulong start, out ulong end);
        if (error != Errno.None || start == end)
        {
            return error;
        }

        MemoryManager memory = task.Memory;
        switch (advice)
        {
            case MadvNormal or MadvRandom or MadvSequential or MadvMergeable or MadvUnmergeable or MadvHugePage or MadvNoHugePage or MadvDontDump or MadvDoDump or MadvCold or MadvPageOut:
                return memory.IsRangeMapped(start, end) ? Errno.None : Errno.ENOMEM;
            case MadvWillNeed or MadvPopulateRead or MadvPopulateWrite:
                if (!memory.IsRangeMapped(start, end))
                {
                    return Errno.ENOMEM;
                }

                memory.Populate(start, end);
                return Errno.None;
            case MadvDontNeed or MadvFree:
                return memory.Discard(start, end);
            case MadvDontFork or MadvDoFork:
                return memory.SetForkBehaviour(start, end, advice == MadvDontFork, null);
            case MadvWipeOnFork or MadvKeepOnFork:
                return memory.SetForkBehaviour(start, end, null, advice == MadvWipeOnFork);
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>msync(2)</summary>
    public static partial Blocking<SyscallResult> Msync(Task task, UserPtr addr, ulong length, int flags)
    {
        if ((flags & ~(MsAsync | MsInvalidate | MsSync)) != 0 || (flags & (MsAsync | MsSync)) == (MsAsync | MsSync))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        // Rounding up wraps around to nothing at all, as mm/msync.c lets it.
        length = length > ulong.MaxValue - PageMask ? 0 : length;
        Errno error = RangeOf(addr, length, Errno.ENOMEM, out ulong start, out ulong end);
        return (SyscallResult)(error != Errno.None || start == end ? error : task.Memory.SyncRange(start, end, (flags & MsSync) != 0, (flags & MsInvalidate) != 0));
    }

    /// <summary>mincore(2)</summary>
    public static partial SyscallResult Mincore(Task task, UserPtr addr, ulong length, UserPtr vec)
    {
        const ulong PagesAtOnce = 4096;
        if ((addr.Address & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        if (length > ulong.MaxValue - PageMask || addr.Address > ulong.MaxValue - ((length + PageMask) & ~PageMask))
        {
            return Errno.ENOMEM;
        }

        ulong pages = (length + PageMask) / MemoryManager.PageSize;
        byte[] residency = new byte[Math.Min(pages, PagesAtOnce)];
        for (ulong done = 0; done < pages;)
        {
            Span<byte> piece = residency.AsSpan(0, (int)Math.Min((ulong)residency.Length, pages - done));
            Errno error = task.Memory.GetResidency(addr.Address + (done * MemoryManager.PageSize), piece);
            error = error != Errno.None ? error : task.Memory.CopyOut(vec.Offset(done), piece);
            if (error != Errno.None)
            {
                return error;
            }

            done += (ulong)piece.Length;
        }

        return Errno.None;
    }

    /// <summary>mlock(2)</summary>
    public static partial SyscallResult Mlock(Task task, UserPtr addr, ulong length) => Lock(task, addr, length, populate: true);

    /// <summary>mlock2(2)</summary>
    public static partial SyscallResult Mlock2(Task task, UserPtr addr, ulong length, uint flags) => (flags & ~1u) != 0 ? Errno.EINVAL : Lock(task, addr, length, populate: flags == 0);

    /// <summary>munlock(2)</summary>
    public static partial SyscallResult Munlock(Task task, UserPtr addr, ulong length)
    {
        Errno error = LockRange(addr, length, out ulong start, out ulong end);
        return error != Errno.None || start == end ? error : task.Memory.SetLocked(start, end, isLocked: false, populate: false);
    }

    /// <summary>mlockall(2)</summary>
    public static partial SyscallResult Mlockall(Task task, int flags)
    {
        const int Current = 1;
        if (flags == 0 || (flags & ~7) != 0 || flags == 4)
        {
            return Errno.EINVAL;
        }

        if (!task.Credentials.Has(Capability.IpcLock) && task.Memory.TotalBytes > task.ThreadGroup.Limits[Resource.LockedMemory].Soft)
        {
            return task.ThreadGroup.Limits[Resource.LockedMemory].Soft == 0 ? Errno.EPERM : Errno.ENOMEM;
        }

        if ((flags & Current) != 0)
        {
            task.Memory.SetAllLocked(true);
        }

        return Errno.None;
    }

    /// <summary>munlockall(2)</summary>
    public static partial SyscallResult Munlockall(Task task)
    {
        task.Memory.SetAllLocked(false);
        return Errno.None;
    }

    private static SyscallResult Lock(Task task, UserPtr addr, ulong length, bool populate)
    {
        Errno error = LockRange(addr, length, out ulong start, out ulong end);
        if (error != Errno.None || start == end)
        {
            return error;
        }

        ulong limit = task.ThreadGroup.Limits[Resource.LockedMemory].Soft;
        if (!task.Credentials.Has(Capability.IpcLock))
        {
            if (limit == 0)
            {
                return Errno.EPERM;
            }

            if (end - start > limit || task.Memory.LockedBytes > limit - (end - start))
            {
                return Errno.ENOMEM;
            }
        }

        return task.Memory.SetLocked(start, end, isLocked: true, populate);
    }

    /// <summary>The pages that hold a range; the length wraps around, as in do_mlock(), so that one close to the largest is of no page.</summary>
    private static Errno LockRange(UserPtr address, ulong length, out ulong start, out ulong end)
    {
        start = address.Address & ~PageMask;
        end = unchecked(start + ((length + (address.Address & PageMask) + PageMask) & ~PageMask));
        return end < start ? Errno.EINVAL : Errno.None;
    }

    private static Errno RangeOf(UserPtr addr, ulong length, Errno overflow, out ulong start, out ulong end)
    {
        start = addr.Address;
        end = start;
        if ((start & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        if (length > ulong.MaxValue - PageMask)
        {
            return overflow;
        }

        length = (length + PageMask) & ~PageMask;
        if (start > ulong.MaxValue - length)
        {
            return overflow;
        }

        end = start + length;
        return Errno.None;
    }
}
