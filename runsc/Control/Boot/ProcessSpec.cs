// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>A process to start in the sandbox: the container's first, or one that is executed later.</summary>
public sealed record ProcessSpec
{
    /// <summary>The program and its arguments; the program is looked up in PATH of <see cref="Env"/> when it has no slash.</summary>
    public required string[] Args { get; init; }

    /// <summary>The environment, as NAME=value. When HOME is missing, the sentry sets it from the container's /etc/passwd.</summary>
    public string[] Env { get; init; } = [];

    /// <summary>The working directory; made when missing.</summary>
    public string Cwd { get; init; } = "/";

    /// <summary>The user.</summary>
    public uint Uid { get; init; }

    /// <summary>The group.</summary>
    public uint Gid { get; init; }

    /// <summary>Supplementary groups.</summary>
    public uint[] AdditionalGids { get; init; } = [];

    /// <summary>The file mode creation mask; -1 for 022.</summary>
    public int Umask { get; init; } = -1;

    /// <summary>The capability sets; null for none at all.</summary>
    public CapabilitySets? Capabilities { get; init; }

    /// <summary>Resource limits that differ from the sentry's defaults.</summary>
    public ResourceLimit[] Rlimits { get; init; } = [];

    /// <summary>no_new_privs is set.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>Standard input, output and error are a terminal that becomes the controlling one.</summary>
    public bool Terminal { get; init; }

    /// <summary>The terminal's columns; 0 when not given.</summary>
    public int ConsoleWidth { get; init; }

    /// <summary>The terminal's rows; 0 when not given.</summary>
    public int ConsoleHeight { get; init; }

    /// <summary>oom_score_adj.</summary>
    public int OomScoreAdj { get; init; }
}

/// <summary>The five capability sets as bit masks (bit N is capability N).</summary>
public sealed record CapabilitySets
{
    /// <summary>The bounding set.</summary>
    public ulong Bounding { get; init; }

    /// <summary>The effective set.</summary>
    public ulong Effective { get; init; }

    /// <summary>The inheritable set.</summary>
    public ulong Inheritable { get; init; }

    /// <summary>The permitted set.</summary>
    public ulong Permitted { get; init; }

    /// <summary>The ambient set.</summary>
    public ulong Ambient { get; init; }
}

/// <summary>A resource limit.</summary>
/// <param name="Resource">RLIMIT_* number (x86_64).</param>
/// <param name="Soft">The soft limit; ulong.MaxValue for none.</param>
/// <param name="Hard">The hard limit; ulong.MaxValue for none.</param>
public sealed record ResourceLimit(int Resource, ulong Soft, ulong Hard);
