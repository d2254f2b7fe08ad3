// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>Limits that the container's cgroup enforces.</summary>
public sealed record OciResources
{
    /// <summary>Memory.</summary>
    public OciMemory? Memory { get; init; }

    /// <summary>CPU time.</summary>
    public OciCpu? Cpu { get; init; }

    /// <summary>Processes.</summary>
    public OciPids? Pids { get; init; }
}

/// <summary>Memory limits in bytes; -1 for none.</summary>
public sealed record OciMemory
{
    /// <summary>The hard limit.</summary>
    public long? Limit { get; init; }

    /// <summary>The soft limit.</summary>
    public long? Reservation { get; init; }

    /// <summary>Memory and swap together.</summary>
    public long? Swap { get; init; }

    /// <summary>How readily pages are swapped out.</summary>
    public ulong? Swappiness { get; init; }

    /// <summary>No OOM killer.</summary>
    public bool? DisableOOMKiller { get; init; }
}

/// <summary>CPU limits.</summary>
public sealed record OciCpu
{
    /// <summary>Relative weight (cgroup v1 scale, 2..262144).</summary>
    public ulong? Shares { get; init; }

    /// <summary>Microseconds per period; -1 for no limit.</summary>
    public long? Quota { get; init; }

    /// <summary>The period in microseconds.</summary>
    public ulong? Period { get; init; }

    /// <summary>CPUs, as "0-3,5".</summary>
    public string? Cpus { get; init; }

    /// <summary>Memory nodes.</summary>
    public string? Mems { get; init; }
}

/// <summary>A limit of processes.</summary>
public sealed record OciPids
{
    /// <summary>The most; -1 for no limit.</summary>
    public long? Limit { get; init; }
}
