// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Signals;
using CVisor.Core.Time;

namespace CVisor.Core.Tasks;

/// <summary>What a process used, and its timers.</summary>
public sealed partial class ThreadGroup
{
    private ResourceUsage _exitedThreads;
    private ulong _maximumResidentBytes;

    /// <summary>What children used that have been waited for, and theirs.</summary>
    public ResourceUsage ChildrenUsage { get; private set; }

    /// <summary>The processor time of all threads, ended ones included.</summary>
    public ProcessorTime TotalTime => Usage.Time;

    /// <summary>What the process used, ended threads included. Take the task set's lock unless a little inexactness does no harm.</summary>
    public ResourceUsage Usage
    {
        get
        {
            ResourceUsage sum = _exitedThreads with { MaximumResidentBytes = _maximumResidentBytes };
            for (int i = 0; i < Threads.Count; i++)
            {
                Task thread = Threads[i];
                if (!thread.HasExited)
                {
                    sum += thread.Usage;
                    sum = sum with { MaximumResidentBytes = Math.Max(sum.MaximumResidentBytes, thread.Memory.ResidentBytes) };
                }
            }

            return sum;
        }
    }

    /// <summary>What the process and its waited-for children used: what wait4(2) reports.</summary>
    internal ResourceUsage UsageWithChildren => Usage + ChildrenUsage;

    [RequiresLock("TaskSet.Lock")]
    private void AccountExitedLocked(Task task) => _exitedThreads += task.Usage;

    [RequiresLock("TaskSet.Lock")]
    private void AccountReapedLocked(ThreadGroup child) => ChildrenUsage += child.UsageWithChildren;

    /// <summary>Keeps the most memory that was there; called when an address space is about to go.</summary>
    internal void NoteResidentBytes(ulong bytes) => _maximumResidentBytes = Math.Max(_maximumResidentBytes, bytes);

    private readonly Dictionary<int, PosixTimer> _posixTimers = [];
    private IntervalTimer? _realTimer;
    private IntervalTimer? _virtualTimer;
    private IntervalTimer? _profilingTimer;
    private CpuLimitTimer? _cpuLimitTimer;
    private int _nextTimerId;

    /// <summary>Sets or reads an interval timer.</summary>
    /// <param name="which">ITIMER_REAL 0, ITIMER_VIRTUAL 1, ITIMER_PROF 2.</param>
    /// <param name="setting">What to set it to, or null to read.</param>
    /// <returns>What it was set to.</returns>
    public TimerSetting ExchangeIntervalTimer(int which, TimerSetting? setting)
    {
        lock (Kernel.Tasks.Lock)
        {
            IntervalTimer timer = which switch
            {
                0 => _realTimer ??= new IntervalTimer(this, null, SignalNumber.SIGALRM),
                1 => _virtualTimer ??= new IntervalTimer(this, new CpuClock(this, null, IsUserOnly: true), SignalNumber.SIGVTALRM),
                _ => _profilingTimer ??= new IntervalTimer(this, new CpuClock(this, null, IsUserOnly: false), SignalNumber.SIGPROF),
            };
            TimerSetting old = timer.GetLocked();
            if (setting is { } wanted)
            {
                timer.SetLocked(wanted.RemainingNs, wanted.IntervalNs, isAbsolute: false);
            }

            return old;
        }
    }

    /// <summary>timer_create(2)</summary>
    /// <param name="clockId">The clock's number.</param>
    /// <param name="clock">The processor time it counts; null for the wall's.</param>
    /// <param name="signal">The signal; 0 for none.</param>
    /// <param name="value">Its value; null for the timer's number.</param>
    /// <param name="receiver">The thread that gets it; null for the process.</param>
    /// <param name="id">The timer's number.</param>
    /// <returns>None, or EAGAIN when there are too many.</returns>
    public Errno CreateTimer(int clockId, CpuClock? clock, int signal, ulong? value, Task? receiver, out int id)
    {
        lock (Kernel.Tasks.Lock)
        {
            id = 0;
            if ((ulong)_posixTimers.Count >= Limits[Resource.PendingSignals].Soft)
            {
                return Errno.EAGAIN;
            }

            do
            {
                id = _nextTimerId;
                _nextTimerId = _nextTimerId == int.MaxValue ? 0 : _nextTimerId + 1;
            }
            while (_posixTimers.ContainsKey(id));
            _posixTimers.Add(id, new PosixTimer(this, clock, id, clockId, signal, value ?? (ulong)id, receiver));
            return Errno.None;
        }
    }

    /// <summary>timer_settime(2) and timer_gettime(2)</summary>
    /// <param name="id">The timer.</param>
    /// <param name="setting">What to set it to, or null to read.</param>
    /// <param name="isAbsolute">TIMER_ABSTIME.</param>
    /// <param name="old">What it was set to.</param>
    /// <returns>None, or EINVAL when there is no such timer.</returns>
    public Errno ExchangeTimer(int id, TimerSetting? setting, bool isAbsolute, out TimerSetting old)
    {
        lock (Kernel.Tasks.Lock)
        {
            old = default;
            if (!_posixTimers.TryGetValue(id, out PosixTimer? timer))
            {
                return Errno.EINVAL;
            }

            old = timer.GetLocked();
            if (setting is { } wanted)
            {
                timer.ResetOverrunsLocked();
                long first = isAbsolute && wanted.RemainingNs != 0 && ClockTable.IsWall(timer.ClockId)
                    ? Math.Max(1, ClockTable.ToMonotonic(timer.ClockId, wanted.RemainingNs))
                    : wanted.RemainingNs;
                timer.SetLocked(first, wanted.IntervalNs, isAbsolute);
            }

            return Errno.None;
        }
    }

    /// <summary>timer_getoverrun(2): null when there is no such timer.</summary>
    public int? GetTimerOverrun(int id)
    {
        lock (Kernel.Tasks.Lock)
        {
            return _posixTimers.TryGetValue(id, out PosixTimer? timer) ? timer.Overrun : null;
        }
    }

    /// <summary>timer_delete(2): false when there is no such timer.</summary>
    public bool DeleteTimer(int id)
    {
        lock (Kernel.Tasks.Lock)
        {
            if (!_posixTimers.Remove(id, out PosixTimer? timer))
            {
                return false;
            }

            timer.SetLocked(0, 0, isAbsolute: false);
            return true;
        }
    }

    /// <summary>Counts RLIMIT_CPU from now on; called when the limit is set, and for new processes that inherit one.</summary>
    public void ApplyCpuLimit()
    {
        lock (Kernel.Tasks.Lock)
        {
            ResourceLimit limit = Limits[Resource.Cpu];
            if (limit.Soft == ulong.MaxValue && _cpuLimitTimer is null)
            {
                return;
            }

            _cpuLimitTimer ??= new CpuLimitTimer(this);
            _cpuLimitTimer.SetLocked(limit.Soft >= (ulong)(long.MaxValue / KernelClock.NsPerSecond) ? 0 : Math.Max(1, (long)limit.Soft * KernelClock.NsPerSecond), 0, isAbsolute: true);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void CancelTimersLocked()
    {
        DeletePosixTimersLocked();
        _realTimer?.SetLocked(0, 0, isAbsolute: false);
        _virtualTimer?.SetLocked(0, 0, isAbsolute: false);
        _profilingTimer?.SetLocked(0, 0, isAbsolute: false);
        _cpuLimitTimer?.SetLocked(0, 0, isAbsolute: false);
    }

    [RequiresLock("TaskSet.Lock")]
    internal void DeletePosixTimersLocked()
    {
        foreach (PosixTimer timer in _posixTimers.Values)
        {
            timer.SetLocked(0, 0, isAbsolute: false);
        }

        _posixTimers.Clear();
    }

    [RequiresLock("TaskSet.Lock")]
    internal void OnTimerSignalTakenLocked(ref SignalInfo info)
    {
        if (_posixTimers.TryGetValue(info.Pid, out PosixTimer? timer))
        {
            timer.OnSignalTakenLocked(ref info);
        }
    }

    /// <summary>RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one.</summary>
    private sealed class CpuLimitTimer(ThreadGroup process) : GuestTimer(process, new CpuClock(process, null, IsUserOnly: false))
    {
        [RequiresLock("TaskSet.Lock")]
        protected override void ExpireLocked(long count)
        {
            ulong usedSeconds = (ulong)(Process.TotalTime.TotalNs / KernelClock.NsPerSecond);
            bool isOver = usedSeconds >= Process.Limits[Resource.Cpu].Hard;
            _ = Process.SendLocked(SignalInfo.FromKernel(isOver ? SignalNumber.SIGKILL : SignalNumber.SIGXCPU), force: true);
            if (!isOver)
            {
                SetLocked((long)(usedSeconds + 1) * KernelClock.NsPerSecond, 0, isAbsolute: true);
            }
        }
    }
}
