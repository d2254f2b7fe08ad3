// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>adjtimex, clock_adjtime.</content>
public static partial class Handlers
{
    /// <summary>adjtimex(2)</summary>
    public static partial SyscallResult Adjtimex(Task task, UserPtr buf) => AdjustTime(task, buf);

    /// <summary>clock_adjtime(2)</summary>
    public static partial SyscallResult ClockAdjtime(Task task, int clockid, UserPtr buf)
    {
        if (clockid == ClockTable.Realtime)
        {
            return AdjustTime(task, buf);
        }

        return ClockTable.Read(task, clockid, out _) == Errno.None ? Errno.EOPNOTSUPP : Errno.EINVAL;
    }

    /// <summary>Tells how the clock is steered: not at all, as far as a guest sees, and it may not change that.</summary>
    private static SyscallResult AdjustTime(Task task, UserPtr buffer)
    {
        const int Unsynchronized = 0x40, TimeError = 5;
        const long MaximumErrorUs = 16_000_000, TickUs = 10_000, ToleranceScaled = 500L << 16;
        Errno error = task.Memory.CopyIn(buffer, out GuestTimex asked);
        if (error != Errno.None)
        {
            return error;
        }

        if (asked.Modes != 0)
        {
            return Errno.EPERM;
        }

        GuestTimespec now = GuestTime.FromNs(KernelClock.RealtimeNs);
        error = task.Memory.CopyOut(buffer, new GuestTimex
        {
            MaximumErrorUs = MaximumErrorUs,
            EstimatedErrorUs = MaximumErrorUs,
            Status = Unsynchronized,
            TimeConstant = 2,
            Precision = 1,
            Tolerance = ToleranceScaled,
            Seconds = now.Seconds,
            Microseconds = now.Fraction / NsPerMicrosecond,
            TickUs = TickUs,
        });
        return error == Errno.None ? TimeError : error;
    }

    /// <summary>struct timex.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 208)]
    [AbiStruct(208)]
    private struct GuestTimex
    {
        internal uint Modes;
        internal long Offset, Frequency, MaximumErrorUs, EstimatedErrorUs;
        internal int Status;
        internal long TimeConstant, Precision, Tolerance, Seconds, Microseconds, TickUs;
    }
}
