// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>alarm, getitimer, setitimer, timer_create, timer_delete, timer_getoverrun, timer_gettime, timer_settime.</content>
public static partial class Handlers
{
    private const int NotifySignal = 0, NotifyNone = 1, NotifyThread = 2, NotifyThreadId = 4;
    private const long MicrosecondsPerSecond = 1_000_000;

    /// <summary>alarm(2)</summary>
    public static partial SyscallResult Alarm(Task task, uint seconds)
    {
        const long HalfSecondNs = KernelClock.NsPerSecond / 2;
        TimerSetting old = task.ThreadGroup.ExchangeIntervalTimer(0, new TimerSetting(seconds * KernelClock.NsPerSecond, 0));
        long rounded = (old.RemainingNs + HalfSecondNs) / KernelClock.NsPerSecond;
        return rounded == 0 && old.RemainingNs > 0 ? 1 : rounded;
    }

    /// <summary>getitimer(2)</summary>
    public static partial SyscallResult Getitimer(Task task, int which, UserPtr currValue) =>
        which is < 0 or > 2 ? Errno.EINVAL : task.Memory.CopyOut(currValue, ToItimerval(task.ThreadGroup.ExchangeIntervalTimer(which, null)));

    /// <summary>setitimer(2)</summary>
    public static partial SyscallResult Setitimer(Task task, int which, UserPtr newValue, UserPtr oldValue)
    {
        if (which is < 0 or > 2)
        {
            return Errno.EINVAL;
        }

        TimerSetting wanted = default;
        if (!newValue.IsNull)
        {
            Errno error = task.Memory.CopyIn(newValue, out GuestItimerspec value);
            if (error != Errno.None)
            {
                return error;
            }

            if (!TryFromTimeval(value.Value, out long first) || !TryFromTimeval(value.Interval, out long interval))
            {
                return Errno.EINVAL;
            }

            wanted = new TimerSetting(first, interval);
        }

        TimerSetting old = task.ThreadGroup.ExchangeIntervalTimer(which, wanted);
        return oldValue.IsNull ? Errno.None : task.Memory.CopyOut(oldValue, ToItimerval(old));
    }

    /// <summary>timer_create(2)</summary>
    public static partial SyscallResult TimerCreate(Task task, int clockid, UserPtr sevp, UserPtr timerid)
    {
        CpuClock? cpu = null;
        if (!ClockTable.IsWall(clockid))
        {
            Errno clockError = ClockTable.FindCpuClock(task, clockid, out cpu);
            if (clockError != Errno.None)
            {
                return clockError;
            }
        }
        else if (clockid is ClockTable.MonotonicRaw or ClockTable.RealtimeCoarse or ClockTable.MonotonicCoarse)
        {
            return Errno.EOPNOTSUPP;
        }
        else if (clockid is ClockTable.RealtimeAlarm or ClockTable.BootTimeAlarm && !task.Credentials.Has(Capability.WakeAlarm))
        {
            return Errno.EPERM;
        }

        int signal = SignalNumber.SIGALRM;
        ulong? value = null;
        Task? receiver = null;
        if (!sevp.IsNull)
        {
            Errno copied = task.Memory.CopyIn(sevp, out GuestSigevent wanted);
            if (copied != Errno.None)
            {
                return copied;
            }

            value = wanted.Value;
            signal = wanted.Signal;
            if (wanted.Notify == NotifyThreadId)
            {
                receiver = task.Kernel.Tasks.FindTask(task.PidNamespace, wanted.ThreadId);
                if (receiver?.ThreadGroup != task.ThreadGroup)
                {
                    return Errno.EINVAL;
                }
            }

            bool isKnown = wanted.Notify is NotifySignal or NotifyNone or NotifyThread or NotifyThreadId;
            if (!isKnown || (wanted.Notify != NotifyNone && signal is < 1 or > SignalNumber.Last))
            {
                return Errno.EINVAL;
            }

            signal = wanted.Notify == NotifyNone ? 0 : signal;
        }

        Errno error = task.ThreadGroup.CreateTimer(clockid, cpu, signal, value, receiver, out int id);
        if (error == Errno.None && (error = task.Memory.CopyOut(timerid, id)) != Errno.None)
        {
            _ = task.ThreadGroup.DeleteTimer(id);
        }

        return error;
    }

    /// <summary>timer_settime(2)</summary>
    public static partial SyscallResult TimerSettime(Task task, int timerid, int flags, UserPtr newValue, UserPtr oldValue)
    {
        if (newValue.IsNull)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(newValue, out GuestItimerspec value);
        if (error != Errno.None || (error = GuestTime.ToNs(value.Value, out long first)) != Errno.None || (error = GuestTime.ToNs(value.Interval, out long interval)) != Errno.None)
        {
            return error;
        }

        error = task.ThreadGroup.ExchangeTimer(timerid, new TimerSetting(first, interval), (flags & TimerAbsolute) != 0, out TimerSetting old);
        return error != Errno.None || oldValue.IsNull ? error : task.Memory.CopyOut(oldValue, ToItimerspec(old));
    }

    /// <summary>timer_gettime(2)</summary>
    public static partial SyscallResult TimerGettime(Task task, int timerid, UserPtr currValue)
    {
        Errno error = task.ThreadGroup.ExchangeTimer(timerid, null, isAbsolute: false, out TimerSetting setting);
        return error != Errno.None ? error : task.Memory.CopyOut(currValue, ToItimerspec(setting));
    }

    /// <summary>timer_getoverrun(2)</summary>
    public static partial SyscallResult TimerGetoverrun(Task task, int timerid) =>
        task.ThreadGroup.GetTimerOverrun(timerid) is { } overrun ? overrun : Errno.EINVAL;

    /// <summary>timer_delete(2)</summary>
    public static partial SyscallResult TimerDelete(Task task, int timerid) => task.ThreadGroup.DeleteTimer(timerid) ? Errno.None : Errno.EINVAL;

    private static GuestItimerspec ToItimerspec(TimerSetting setting) => new(GuestTime.FromNs(setting.IntervalNs), GuestTime.FromNs(setting.RemainingNs));

    private static GuestItimerspec ToItimerval(TimerSetting setting) => new(ToTimeval(setting.IntervalNs), ToTimeval(setting.RemainingNs));

    private static GuestTimespec ToTimeval(long ns)
    {
        // An armed timer never reads as 0.
        GuestTimespec time = GuestTime.FromNs(ns is > 0 and < NsPerMicrosecond ? NsPerMicrosecond : ns);
        return time with { Fraction = time.Fraction / NsPerMicrosecond };
    }

    private static bool TryFromTimeval(GuestTimespec time, out long ns)
    {
        ns = 0;
        return time.Fraction is >= 0 and < MicrosecondsPerSecond && GuestTime.ToNs(time with { Fraction = time.Fraction * NsPerMicrosecond }, out ns) == Errno.None;
    }

    /// <summary>struct sigevent.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    [AbiStruct(64)]
    private struct GuestSigevent
    {
        internal ulong Value;
        internal int Signal;
        internal int Notify;
        internal int ThreadId;
    }
}
