// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Time;

/// <summary>The clocks that guests name by number (clock_gettime(2)).</summary>
public static class ClockTable
{
    public const int Realtime = 0, Monotonic = 1, ProcessCpu = 2, ThreadCpu = 3, MonotonicRaw = 4, RealtimeCoarse = 5, MonotonicCoarse = 6, BootTime = 7;
    public const int RealtimeAlarm = 8, BootTimeAlarm = 9, Tai = 11;

    /// <summary>The resolution of the coarse clocks in nanoseconds: a tick of Linux with HZ=250.</summary>
    public const long CoarseNs = 4_000_000;

    /// <summary>Whether a clock counts the wall's time, on which one can sleep.</summary>
    public static bool IsWall(int clock) => clock is Realtime or Monotonic or MonotonicRaw or RealtimeCoarse or MonotonicCoarse or BootTime or RealtimeAlarm or BootTimeAlarm or Tai;

    /// <summary>Whether a clock is set to the date, so that its times are since the epoch.</summary>
    public static bool IsRealtime(int clock) => clock is Realtime or RealtimeCoarse or RealtimeAlarm or Tai;

    /// <summary>The resolution of a clock in nanoseconds.</summary>
    public static long ResolutionNs(int clock) => clock is RealtimeCoarse or MonotonicCoarse ? CoarseNs : 1;

    /// <summary>Reads a clock.</summary>
    /// <returns>None, or EINVAL for a clock that there is not.</returns>
    public static Errno Read(Task task, int clock, out long ns)
    {
        switch (clock)
        {
            case Realtime or RealtimeAlarm or Tai:
                ns = KernelClock.RealtimeNs;
                return Errno.None;
            case RealtimeCoarse:
                ns = Coarse(KernelClock.RealtimeNs);
                return Errno.None;
            case Monotonic or MonotonicRaw or BootTime or BootTimeAlarm:
                ns = KernelClock.MonotonicNs;
                return Errno.None;
            case MonotonicCoarse:
                ns = Coarse(KernelClock.MonotonicNs);
                return Errno.None;
            default:
                Errno error = FindCpuClock(task, clock, out CpuClock? found);
                ns = found?.Now ?? 0;
                return error;
        }
    }

    /// <summary>The clock of a process's or a thread's processor time.</summary>
    /// <returns>None, or EINVAL for another clock or a process that there is not.</returns>
    public static Errno FindCpuClock(Task task, int clock, out CpuClock? found)
    {
        const int Scheduled = 2, PerThread = 4;
        found = null;
        if (clock == ProcessCpu)
        {
            found = new CpuClock(task.ThreadGroup, null, IsUserOnly: false);
        }
        else if (clock == ThreadCpu)
        {
            found = new CpuClock(task.ThreadGroup, task, IsUserOnly: false);
        }
        else if (clock < 0 && (clock & 3) <= Scheduled)
        {
            // clock_getcpuclockid(3): the complement of the id, shifted; the low bits say whose time and which.
            int id = ~(clock >> 3);
            Task? target = id == 0 ? task : task.Kernel.Tasks.FindTask(task.PidNamespace, id);
            bool isThread = (clock & PerThread) != 0;
            if (target is not null && (isThread ? target.ThreadGroup == task.ThreadGroup : target == target.ThreadGroup.Leader))
            {
                found = new CpuClock(target.ThreadGroup, isThread ? target : null, IsUserOnly: (clock & 3) == 1);
            }
        }

        return found is null ? Errno.EINVAL : Errno.None;
    }

    /// <summary>When a time since the epoch will be, on the monotonic clock.</summary>
    public static long RealtimeToMonotonic(long realtimeNs)
    {
        long now = KernelClock.MonotonicNs;
        long ahead = realtimeNs - KernelClock.RealtimeNs;
        return ahead >= long.MaxValue - now ? long.MaxValue : Math.Max(0, now + ahead);
    }

    /// <summary>When a time of a wall clock will be, on the monotonic clock.</summary>
    public static long ToMonotonic(int clock, long ns) => IsRealtime(clock) ? RealtimeToMonotonic(ns) : ns;

    private static long Coarse(long ns) => ns - (ns % CoarseNs);
}

/// <summary>Processor time as a clock.</summary>
/// <param name="Process">The process.</param>
/// <param name="Thread">The thread, or null for the whole process.</param>
/// <param name="IsUserOnly">Whether time in the kernel is left out.</param>
public sealed record CpuClock(ThreadGroup Process, Task? Thread, bool IsUserOnly)
{
    /// <summary>The time now, in nanoseconds.</summary>
    public long Now
    {
        get
        {
            ProcessorTime time = Thread?.ProcessorTime ?? Process.TotalTime;
            return IsUserOnly ? time.UserNs : time.TotalNs;
        }
    }

    /// <summary>The earliest moment on the monotonic clock at which a time can be reached, with every thread running all the while.</summary>
    public long EarliestMonotonic(long timeNs)
    {
        const long StepNs = 1_000_000;
        long left = (timeNs - Now) / (Thread is null ? Math.Max(1, Process.LiveThreads) : 1);
        long now = KernelClock.MonotonicNs;
        return left >= long.MaxValue - now ? long.MaxValue : now + Math.Max(StepNs, left);
    }
}
