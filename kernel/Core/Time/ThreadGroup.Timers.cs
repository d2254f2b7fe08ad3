// SPDX-License-Identifier: Apache-2.0
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

    [RequiresLock("TaskSet.Lock")]
    private void CancelTimersLocked()
    {
    }

    [RequiresLock("TaskSet.Lock")]
    internal void OnTimerSignalTakenLocked(ref SignalInfo info)
    {
    }
}
