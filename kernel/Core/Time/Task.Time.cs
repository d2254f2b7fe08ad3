// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Time;

namespace CVisor.Core.Tasks;

/// <summary>What a task uses. Written by its worker, read by anyone: a reader may be a little behind.</summary>
public sealed partial class Task
{
    private long _userNs;
    private long _systemNs;
    private long _phaseStartNs;
    private int _phase;
    private long _waits;
    private long _faults;

    /// <summary>What the task's time counts as.</summary>
    internal enum TimePhase
    {
        /// <summary>Nothing: it waits, or has ended.</summary>
        None,

        /// <summary>It runs in the kernel.</summary>
        System,

        /// <summary>It runs guest code.</summary>
        User,
    }

    /// <summary>Processor time up to now. Guest code that shares its processor with other guest code is charged for all of it.</summary>
    public ProcessorTime ProcessorTime
    {
        get
        {
            TimePhase phase = (TimePhase)Volatile.Read(ref _phase);
            long user = Volatile.Read(ref _userNs);
            long system = Volatile.Read(ref _systemNs);
            long running = phase == TimePhase.None ? 0 : Math.Max(0, KernelClock.MonotonicNs - Volatile.Read(ref _phaseStartNs));
            return phase == TimePhase.User ? new ProcessorTime(user + running, system) : new ProcessorTime(user, system + running);
        }
    }

    /// <summary>Page faults that needed the kernel.</summary>
    public long Faults => Volatile.Read(ref _faults);

    /// <summary>How often it waited.</summary>
    public long Waits => Volatile.Read(ref _waits);

    /// <summary>What the task used.</summary>
    internal ResourceUsage Usage => new(ProcessorTime, 0, Volatile.Read(ref _faults), Volatile.Read(ref _waits), 0);

    /// <summary>Charges the time since the last change and goes over to a phase.</summary>
    [NoAlloc]
    internal void SetTimePhase(TimePhase phase)
    {
        long now = KernelClock.MonotonicNs;
        long passed = now - _phaseStartNs;
        switch ((TimePhase)_phase)
        {
            case TimePhase.User:
                Volatile.Write(ref _userNs, _userNs + passed);
                Kernel.Scheduler.Workers[HomeWorker].UserNs += passed;
                break;
            case TimePhase.System:
                Volatile.Write(ref _systemNs, _systemNs + passed);
                Kernel.Scheduler.Workers[HomeWorker].SystemNs += passed;
                break;
        }

        Volatile.Write(ref _phaseStartNs, now);
        Volatile.Write(ref _phase, (int)phase);
        if (phase == TimePhase.None)
        {
            _waits++;
        }
    }

    internal void CountFault() => _faults++;
}
