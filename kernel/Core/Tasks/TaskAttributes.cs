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

    /// <summary>What SCHED_DEADLINE was asked with; counts while that is the policy.</summary>
    public DeadlineParameters Deadline { get; set; }

    /// <summary>SCHED_FLAG_RESET_ON_FORK.</summary>
    public bool ResetsOnFork { get; set; }

    /// <summary>The processors that the task asked to run on, one bit each; it may see this many.</summary>
    public ulong Affinity { get; set; } = ulong.MaxValue;

    /// <summary>The memory policy (set_mempolicy(2)): an MPOL_* mode and its flags. The nodes are the one there is, or none for a mode that takes none.</summary>
    public int MemoryPolicy { get; set; }

    /// <summary>I/O priority (ioprio_set(2)).</summary>
    public int IoPriority { get; set; }

    /// <summary>personality(2).</summary>
    public uint Personality { get; set; }

    /// <summary>PR_SET_TIMERSLACK in nanoseconds.</summary>
    public ulong TimerSlackNs { get; set; } = 50_000;

    /// <summary>Whether no child may be made: SCHED_DEADLINE's time is not to be had twice (sched_fork()).</summary>
    public bool ForbidsChildren => SchedulingPolicy == DeadlineParameters.Policy && !ResetsOnFork;

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

/// <summary>The parameters of SCHED_DEADLINE (sched(7)); all tasks run alike here, they are kept and told.</summary>
/// <param name="RuntimeNs">Processor time in each period.</param>
/// <param name="DeadlineNs">From a period's start until when it must have been given.</param>
/// <param name="PeriodNs">The period.</param>
/// <param name="Flags">SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN.</param>
public readonly record struct DeadlineParameters(ulong RuntimeNs, ulong DeadlineNs, ulong PeriodNs, ulong Flags)
{
    /// <summary>SCHED_DEADLINE.</summary>
    public const int Policy = 6;
}
