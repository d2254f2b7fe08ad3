// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Tasks;

/// <summary>What a task can set about itself and read back, and that children inherit. Each value is written by one thread at a time and needs no lock.</summary>
public sealed class TaskAttributes
{
    /// <summary>Nice value (-20..19).</summary>
    public int Nice { get; set; }

    /// <summary>SCHED_* policy; all run alike here.</summary>
    public int SchedulingPolicy { get; set; }

    /// <summary>Real-time priority of that policy.</summary>
    public int SchedulingPriority { get; set; }

    /// <summary>SCHED_FLAG_RESET_ON_FORK.</summary>
    public bool ResetsOnFork { get; set; }

    /// <summary>The processors that the task asked to run on, one bit each; it may see this many.</summary>
    public ulong Affinity { get; set; } = ulong.MaxValue;

    /// <summary>I/O priority (ioprio_set(2)).</summary>
    public int IoPriority { get; set; }

    /// <summary>personality(2).</summary>
    public uint Personality { get; set; }

    /// <summary>PR_SET_TIMERSLACK in nanoseconds.</summary>
    public ulong TimerSlackNs { get; set; } = 50_000;

    /// <summary>A copy for a child.</summary>
    public TaskAttributes Clone()
    {
        TaskAttributes copy = (TaskAttributes)MemberwiseClone();
        if (ResetsOnFork)
        {
            copy.ResetsOnFork = false;
            copy.SchedulingPolicy = 0;
            copy.SchedulingPriority = 0;
            copy.Nice = Math.Max(0, copy.Nice);
        }

        return copy;
    }
}
