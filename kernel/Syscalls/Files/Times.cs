// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>utimensat, utime, utimes, futimesat.</content>
public static partial class Handlers
{
    private const long TimeNow = 0x3fffffff, TimeOmit = 0x3ffffffe, NsPerSecond = 1_000_000_000;

    private const AttributeMask BothNow = AttributeMask.AccessTime | AttributeMask.AccessTimeNow | AttributeMask.ModifyTime | AttributeMask.ModifyTimeNow;

    /// <summary>utimensat(2)</summary>
    public static partial Blocking<SyscallResult> Utimensat(Task task, int dirfd, UserPtr path, UserPtr times, int flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        AttributeChange change = new() { Mask = BothNow };
        if (!times.IsNull)
        {
            change.Mask = AttributeMask.None;
            Errno error = task.Memory.CopyIn(times, out Timespec access);
            error = error == Errno.None ? task.Memory.CopyIn(times.Offset(16), out Timespec modify) is var second and not Errno.None ? second : TimesOf(access, modify, ref change) : error;
            if (error != Errno.None || change.Mask == AttributeMask.None)
            {
                return (SyscallResult)error; // UTIME_OMIT twice: nothing is looked at.
            }
        }

        return (SyscallResult)SetTimesAt(task, dirfd, path, change, flags);
    }

    /// <summary>utime(2)</summary>
    public static partial Blocking<SyscallResult> Utime(Task task, UserPtr path, UserPtr times)
    {
        AttributeChange change = new() { Mask = BothNow };
        if (!times.IsNull)
        {
            Errno error = task.Memory.CopyIn(times, out long access);
            error = error == Errno.None ? task.Memory.CopyIn(times.Offset(8), out long modify) is var second and not Errno.None ? second : TimesOf(new Timespec(access, 0), new Timespec(modify, 0), ref change) : error;
            if (error != Errno.None)
            {
                return (SyscallResult)error;
            }
        }

        return (SyscallResult)SetTimesAt(task, AtFlags.FdCwd, path, change, 0);
    }

    /// <summary>utimes(2)</summary>
    public static partial Blocking<SyscallResult> Utimes(Task task, UserPtr path, UserPtr times) => Futimesat(task, AtFlags.FdCwd, path, times);

    /// <summary>futimesat(2)</summary>
    public static partial Blocking<SyscallResult> Futimesat(Task task, int dirfd, UserPtr path, UserPtr times)
    {
        AttributeChange change = new() { Mask = BothNow };
        if (!times.IsNull)
        {
            Errno error = task.Memory.CopyIn(times, out Timespec access);
            if (error == Errno.None && (error = task.Memory.CopyIn(times.Offset(16), out Timespec modify)) == Errno.None)
            {
                // struct timeval: microseconds, and no special values.
                bool isValid = access.Nanoseconds is >= 0 and < 1_000_000 && modify.Nanoseconds is >= 0 and < 1_000_000;
                error = isValid ? TimesOf(new Timespec(access.Seconds, access.Nanoseconds * 1000), new Timespec(modify.Seconds, modify.Nanoseconds * 1000), ref change) : Errno.EINVAL;
            }

            if (error != Errno.None)
            {
                return (SyscallResult)error;
            }
        }

        return (SyscallResult)SetTimesAt(task, dirfd, path, change, 0);
    }

    private static Errno SetTimesAt(Task task, int dirfd, UserPtr path, in AttributeChange change, int flags)
    {
        // futimens(3) and futimes(3): no path means the descriptor itself.
        Errno error = path.IsNull && dirfd != AtFlags.FdCwd
            ? PlaceOf(task, dirfd, out VfsPath place)
            : Paths.Resolve(task, dirfd, path, Paths.FlagsOf(flags), out place);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.SetTimes(task.Operation, place, change, change.Mask == BothNow);
            place.Unreference();
        }

        return error;
    }

    private static Errno TimesOf(Timespec access, Timespec modify, ref AttributeChange change)
    {
        change.Mask = AttributeMask.None;
        Errno error = TimeOf(access, out change.AccessTimeNs, AttributeMask.AccessTime, AttributeMask.AccessTimeNow, ref change.Mask);
        return error != Errno.None ? error : TimeOf(modify, out change.ModifyTimeNs, AttributeMask.ModifyTime, AttributeMask.ModifyTimeNow, ref change.Mask);
    }

    private static Errno TimeOf(Timespec time, out long ns, AttributeMask set, AttributeMask now, ref AttributeMask mask)
    {
        ns = 0;
        switch (time.Nanoseconds)
        {
            case TimeOmit:
                return Errno.None;
            case TimeNow:
                mask |= set | now;
                return Errno.None;
            case < 0 or >= NsPerSecond:
                return Errno.EINVAL;
        }

        // Beyond what the clock can hold, the nearest it can (timestamp_truncate()).
        long seconds = Math.Clamp(time.Seconds, long.MinValue / NsPerSecond + 1, long.MaxValue / NsPerSecond - 1);
        ns = (seconds * NsPerSecond) + time.Nanoseconds;
        mask |= set;
        return Errno.None;
    }
}
