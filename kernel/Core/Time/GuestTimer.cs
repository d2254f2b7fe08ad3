// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Signals;
using CVisor.Core.Tasks;

namespace CVisor.Core.Time;

/// <summary>What a timer is set to.</summary>
/// <param name="RemainingNs">Until the next expiration; 0 when it is not armed.</param>
/// <param name="IntervalNs">Between later ones; 0 for none.</param>
public readonly record struct TimerSetting(long RemainingNs, long IntervalNs);

/// <summary>A timer of a process that sends signals: setitimer(2), timer_create(2). Guarded by the task set's lock.</summary>
/// <param name="process">The process.</param>
/// <param name="clock">The processor time it counts; null for the wall's.</param>
internal abstract class GuestTimer(ThreadGroup process, CpuClock? clock) : KernelTimer
{
    /// <summary>Timers fire no more often than this, whatever their interval; what is missed is an overrun.</summary>
    private const long ShortestNs = 50_000;

    private long _deadlineNs = long.MaxValue;
    private long _intervalNs;

    /// <summary>The process.</summary>
    protected ThreadGroup Process { get; } = process;

    private long NowNs => clock?.Now ?? KernelClock.MonotonicNs;

    /// <summary>What it is set to.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal TimerSetting GetLocked() => new(_deadlineNs == long.MaxValue ? 0 : Math.Max(1, _deadlineNs - NowNs), _intervalNs);

    /// <summary>Sets it.</summary>
    /// <param name="valueNs">Until the first expiration, or its time; 0 disarms.</param>
    /// <param name="intervalNs">Between later ones; 0 for none.</param>
    /// <param name="isAbsolute">Whether the value is a time on the timer's own clock (on the monotonic one for the wall's).</param>
    [RequiresLock("TaskSet.Lock")]
    internal void SetLocked(long valueNs, long intervalNs, bool isAbsolute)
    {
        _intervalNs = intervalNs;
        _ = Process.Kernel.Timers.Cancel(this);
        if (valueNs == 0)
        {
            _deadlineNs = long.MaxValue;
            return;
        }

        long now = NowNs;
        _deadlineNs = isAbsolute ? valueNs : valueNs >= long.MaxValue - now ? long.MaxValue - 1 : now + valueNs;
        ArmLocked(_deadlineNs);
    }

    /// <inheritdoc/>
    protected internal override void OnFire()
    {
        lock (Process.Kernel.Tasks.Lock)
        {
            if (_deadlineNs == long.MaxValue || Process.IsZombie)
            {
                return;
            }

            long now = NowNs;
            if (now < _deadlineNs)
            {
                ArmLocked(_deadlineNs);
                return;
            }

            long count = 1;
            if (_intervalNs == 0)
            {
                _deadlineNs = long.MaxValue;
            }
            else
            {
                count += (now - _deadlineNs) / _intervalNs;
                _deadlineNs = _deadlineNs > long.MaxValue - 1 - _intervalNs ? long.MaxValue - 1 : now - ((now - _deadlineNs) % _intervalNs) + _intervalNs;
                ArmLocked(Math.Max(_deadlineNs, now + ShortestNs));
            }

            ExpireLocked(count);
        }
    }

    /// <summary>Called when it has expired so many times since the last call.</summary>
    [RequiresLock("TaskSet.Lock")]
    protected abstract void ExpireLocked(long count);

    private void ArmLocked(long deadlineNs)
    {
        long at = clock?.EarliestMonotonic(deadlineNs) ?? deadlineNs;
        if (at != long.MaxValue)
        {
            Process.Kernel.Timers.Arm(this, at);
        }
    }
}

/// <summary>One of a process's three interval timers (setitimer(2)).</summary>
internal sealed class IntervalTimer(ThreadGroup process, CpuClock? clock, int signal) : GuestTimer(process, clock)
{
    /// <inheritdoc/>
    [RequiresLock("TaskSet.Lock")]
    protected override void ExpireLocked(long count) => _ = Process.SendLocked(SignalInfo.FromKernel(signal));
}

/// <summary>A POSIX timer (timer_create(2)).</summary>
internal sealed class PosixTimer(ThreadGroup process, CpuClock? clock, int id, int clockId, int signal, ulong value, Task? receiver) : GuestTimer(process, clock)
{
    private const int MaximumOverruns = int.MaxValue;
    private long _overruns;

    /// <summary>Its number.</summary>
    internal int Id { get; } = id;

    /// <summary>The clock that it was made with.</summary>
    internal int ClockId { get; } = clockId;

    /// <summary>Expirations without a signal before the last delivered one (timer_getoverrun(2)).</summary>
    internal int Overrun { get; private set; }

    /// <summary>Forgets what has not been delivered; the timer is set anew.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void ResetOverrunsLocked() => _overruns = 0;

    /// <summary>Called when a thread takes the timer's signal.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void OnSignalTakenLocked(ref SignalInfo info)
    {
        Overrun = (int)Math.Min(MaximumOverruns, _overruns);
        _overruns = 0;
        info.Uid = unchecked((uint)Overrun);
    }

    /// <inheritdoc/>
    [RequiresLock("TaskSet.Lock")]
    protected override void ExpireLocked(long count)
    {
        if (signal == 0)
        {
            return; // SIGEV_NONE
        }

        PendingSignals pending = receiver?.Pending ?? Process.Pending;
        if (pending.HasTimer(Id))
        {
            _overruns += count;
            return;
        }

        _overruns = count - 1;
        SignalInfo info = new() { Signal = signal, Code = SignalInfo.SI_TIMER, Pid = Id, Value = value };
        if (receiver is not { HasExited: true })
        {
            _ = Process.SendLocked(info, receiver, force: false);
        }
    }
}
