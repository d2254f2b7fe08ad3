// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Tasks;

namespace CVisor.Core.Time;

/// <summary>How many tasks want a processor, averaged over 1, 5 and 15 minutes with older times counting ever less (proc(5), "loadavg"; kernel/sched/loadavg.c).</summary>
/// <remarks>
/// Linux counts every five seconds. So does this as long as something runs; when nothing does, the timer rests until a thread is made or somebody asks, and the time since
/// then is accounted for by what the processors were used, so that an idle sandbox sleeps.
/// </remarks>
public sealed class LoadAverage : KernelTimer
{
    private const long PeriodNs = 5_000_000_000;
    private const double Negligible = 0.01;

    private readonly Kernel _kernel;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private (double One, double Five, double Fifteen) _averages;
    [GuardedBy(nameof(_lock))]
    private long _sinceNs = KernelClock.MonotonicNs;
    [GuardedBy(nameof(_lock))]
    private long _usedNs;
    private int _isArmed;

    internal LoadAverage(Kernel kernel) => _kernel = kernel;

    /// <summary>The averages of now.</summary>
    public (double One, double Five, double Fifteen) Read()
    {
        Watch();
        lock (_lock)
        {
            return _averages;
        }
    }

    /// <summary>Counts from now on, if it does not already. The task set's lock may be held.</summary>
    internal void Watch()
    {
        if (Volatile.Read(ref _isArmed) != 0 || Interlocked.Exchange(ref _isArmed, 1) != 0)
        {
            return;
        }

        lock (_lock)
        {
            _ = PassLocked(counted: null);
        }

        _kernel.Timers.Arm(this, KernelClock.MonotonicNs + PeriodNs);
    }

    /// <inheritdoc/>
    protected internal override void OnFire()
    {
        int running = _kernel.Tasks.CountRunning();
        double load;
        lock (_lock)
        {
            load = PassLocked(running);
        }

        if (load > Negligible)
        {
            _kernel.Timers.Arm(this, KernelClock.MonotonicNs + PeriodNs);
            return;
        }

        Volatile.Write(ref _isArmed, 0);
    }

    /// <summary>Lets the time since the last call count.</summary>
    /// <param name="counted">How many tasks ran in it; null for as many as the used processor time tells.</param>
    /// <returns>What counted.</returns>
    [RequiresLock(nameof(_lock))]
    private double PassLocked(int? counted)
    {
        long nowNs = KernelClock.MonotonicNs;
        long usedNs = 0;
        foreach (Worker worker in _kernel.Scheduler.Workers)
        {
            usedNs += worker.UserNs + worker.SystemNs;
        }

        double passedNs = Math.Max(1, nowNs - _sinceNs);
        double load = counted ?? Math.Max(0, usedNs - _usedNs) / passedNs;
        (_sinceNs, _usedNs) = (nowNs, usedNs);
        _averages = (Approach(_averages.One, 1), Approach(_averages.Five, 5), Approach(_averages.Fifteen, 15));
        return load;

        double Approach(double average, int minutes)
        {
            double kept = Math.Exp(-passedNs / (minutes * 60e9));
            return (average * kept) + (load * (1 - kept));
        }
    }
}
