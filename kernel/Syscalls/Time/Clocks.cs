// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>clock_gettime, clock_getres, gettimeofday, time, times.</content>
public static partial class Handlers
{
    private const long NsPerMicrosecond = 1000;

    /// <summary>clock_gettime(2)</summary>
    public static partial SyscallResult ClockGettime(Task task, int clockid, UserPtr tp)
    {
        Errno error = ClockTable.Read(task, clockid, out long ns);
        return error != Errno.None ? error : task.Memory.CopyOut(tp, GuestTime.FromNs(ns));
    }

    /// <summary>clock_getres(2)</summary>
    public static partial SyscallResult ClockGetres(Task task, int clockid, UserPtr res)
    {
        Errno error = ClockTable.Read(task, clockid, out _);
        return error != Errno.None || res.IsNull ? error : task.Memory.CopyOut(res, GuestTime.FromNs(ClockTable.ResolutionNs(clockid)));
    }

    /// <summary>clock_settime(2): the clocks are the host's, which no guest sets.</summary>
    public static partial SyscallResult ClockSettime(Task task, int clockid, UserPtr tp)
    {
        if (clockid != ClockTable.Realtime && (ClockTable.IsWall(clockid) || ClockTable.FindCpuClock(task, clockid, out _) != Errno.None))
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(tp, out GuestTimespec time);
        error = error == Errno.None ? GuestTime.ToNs(time, out _) : error;
        return error == Errno.None ? Errno.EPERM : error;
    }

    /// <summary>gettimeofday(2)</summary>
    public static partial SyscallResult Gettimeofday(Task task, UserPtr tv, UserPtr tz)
    {
        Errno error = Errno.None;
        if (!tv.IsNull)
        {
            GuestTimespec now = GuestTime.FromNs(KernelClock.RealtimeNs);
            error = task.Memory.CopyOut(tv, now with { Fraction = now.Fraction / NsPerMicrosecond });
        }

        // struct timezone: the kernel's is UTC.
        return error != Errno.None || tz.IsNull ? error : task.Memory.CopyOut(tz, 0L);
    }

    /// <summary>time(2)</summary>
    public static partial SyscallResult Time(Task task, UserPtr tloc)
    {
        long now = KernelClock.RealtimeNs / KernelClock.NsPerSecond;
        Errno error = tloc.IsNull ? Errno.None : task.Memory.CopyOut(tloc, now);
        return error == Errno.None ? now : error;
    }

    /// <summary>times(2)</summary>
    public static partial SyscallResult Times(Task task, UserPtr buf)
    {
        if (!buf.IsNull)
        {
            ProcessorTime own = task.ThreadGroup.TotalTime;
            ProcessorTime children = task.ThreadGroup.ChildrenUsage.Time;
            Errno error = task.Memory.CopyOut(buf, new GuestTimes
            {
                User = own.UserNs / KernelClock.NsPerTick,
                System = own.SystemNs / KernelClock.NsPerTick,
                ChildrenUser = children.UserNs / KernelClock.NsPerTick,
                ChildrenSystem = children.SystemNs / KernelClock.NsPerTick,
            });
            if (error != Errno.None)
            {
                return error;
            }
        }

        return KernelClock.MonotonicNs / KernelClock.NsPerTick;
    }

    /// <summary>struct tms.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(32)]
    private struct GuestTimes
    {
        internal long User, System, ChildrenUser, ChildrenSystem;
    }
}
