// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>A process: the spec's own, or <c>exec --process</c>'s file.</summary>
public sealed record OciProcess
{
    /// <summary>Standard input, output and error are a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>The terminal's size.</summary>
    public OciConsoleSize? ConsoleSize { get; init; }

    /// <summary>Who runs it.</summary>
    public OciUser? User { get; init; }

    /// <summary>The program and its arguments.</summary>
    public string[]? Args { get; init; }

    /// <summary>A command line, for Windows only; refused.</summary>
    public string? CommandLine { get; init; }

    /// <summary>The environment.</summary>
    public string[]? Env { get; init; }

    /// <summary>The working directory.</summary>
    public string? Cwd { get; init; }

    /// <summary>Capabilities; null for none.</summary>
    public OciCapabilities? Capabilities { get; init; }

    /// <summary>Resource limits.</summary>
    public OciRlimit[]? Rlimits { get; init; }

    /// <summary>no_new_privs.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>An AppArmor profile; ignored with a warning.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>oom_score_adj.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>A SELinux label; refused.</summary>
    public string? SelinuxLabel { get; init; }
}

/// <summary>A terminal's size in characters.</summary>
public sealed record OciConsoleSize
{
    /// <summary>Rows.</summary>
    public uint Height { get; init; }

    /// <summary>Columns.</summary>
    public uint Width { get; init; }
}

/// <summary>Who runs a process.</summary>
public sealed record OciUser
{
    /// <summary>The user id.</summary>
    public uint Uid { get; init; }

    /// <summary>The group id.</summary>
    public uint Gid { get; init; }

    /// <summary>The file mode creation mask.</summary>
    public uint? Umask { get; init; }

    /// <summary>Supplementary groups.</summary>
    public uint[]? AdditionalGids { get; init; }
}

/// <summary>Capability names ("CAP_CHOWN") by set.</summary>
public sealed record OciCapabilities
{
    /// <summary>The bounding set.</summary>
    public string[]? Bounding { get; init; }

    /// <summary>The effective set.</summary>
    public string[]? Effective { get; init; }

    /// <summary>The inheritable set.</summary>
    public string[]? Inheritable { get; init; }

    /// <summary>The permitted set.</summary>
    public string[]? Permitted { get; init; }

    /// <summary>The ambient set.</summary>
    public string[]? Ambient { get; init; }
}

/// <summary>A resource limit.</summary>
public sealed record OciRlimit
{
    /// <summary>"RLIMIT_NOFILE" and so on.</summary>
    public string? Type { get; init; }

    /// <summary>The hard limit.</summary>
    public ulong Hard { get; init; }

    /// <summary>The soft limit.</summary>
    public ulong Soft { get; init; }
}
