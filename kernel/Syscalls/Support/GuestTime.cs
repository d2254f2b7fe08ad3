// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Syscalls.Support;

/// <summary>struct timespec, or struct timeval with microseconds in the second word.</summary>
/// <param name="Seconds">Seconds.</param>
/// <param name="Fraction">Nanoseconds or microseconds.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
internal record struct GuestTimespec(long Seconds, long Fraction);

/// <summary>struct itimerspec.</summary>
/// <param name="Interval">Between later expirations.</param>
/// <param name="Value">Until the first.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
internal record struct GuestItimerspec(GuestTimespec Interval, GuestTimespec Value);

/// <summary>Times of the guest as nanoseconds.</summary>
internal static class GuestTime
{
    /// <summary>No deadline.</summary>
    internal const long Forever = long.MaxValue;

    private const long NsPerSecond = 1_000_000_000;

    /// <summary>The nanoseconds of a timespec, saturated; EINVAL when it is negative or has too many nanoseconds.</summary>
    internal static Errno ToNs(GuestTimespec time, out long ns)
    {
        ns = 0;
        if (time.Seconds < 0 || time.Fraction is < 0 or >= NsPerSecond)
        {
            return Errno.EINVAL;
        }

        ns = time.Seconds >= (long.MaxValue / NsPerSecond) - 1 ? Forever : (time.Seconds * NsPerSecond) + time.Fraction;
        return Errno.None;
    }

    /// <summary>A timespec of so many nanoseconds.</summary>
    internal static GuestTimespec FromNs(long ns) => new(ns / NsPerSecond, ns % NsPerSecond);

    /// <summary>The deadline of a timeout from now on, in nanoseconds on the monotonic clock; 0 for a timeout of 0 or less, which asks not to wait.</summary>
    internal static long After(long timeoutNs)
    {
        if (timeoutNs <= 0)
        {
            return 0;
        }

        long nowNs = KernelClock.MonotonicNs;
        return timeoutNs >= Forever - nowNs ? Forever : nowNs + timeoutNs;
    }

    /// <summary>The deadline of a timeout in milliseconds; negative is none.</summary>
    internal static long AfterMilliseconds(int milliseconds) => milliseconds < 0 ? Forever : After(milliseconds * 1_000_000L);

    /// <summary>Reads an optional timeout (struct timespec, NULL for none) as a deadline.</summary>
    internal static Errno ReadDeadline(Task task, UserPtr timeout, out long deadlineNs)
    {
        deadlineNs = Forever;
        if (timeout.IsNull)
        {
            return Errno.None;
        }

        Errno error = task.Memory.CopyIn(timeout, out GuestTimespec time);
        if (error == Errno.None)
        {
            error = ToNs(time, out long ns);
            deadlineNs = After(ns);
        }

        return error;
    }

    /// <summary>What is left until a deadline.</summary>
    internal static long Remaining(long deadlineNs) =>
        deadlineNs == 0 ? 0 : deadlineNs == Forever ? Forever : Math.Max(0, deadlineNs - KernelClock.MonotonicNs);
}
