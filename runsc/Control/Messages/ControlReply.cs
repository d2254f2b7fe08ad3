// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>The answer to a <see cref="ControlRequest"/>.</summary>
public sealed record ControlReply
{
    /// <summary>A plain success.</summary>
    public static ControlReply Done { get; } = new();

    /// <summary>The refusal; null when the request was carried out.</summary>
    public ControlError? Error { get; init; }

    /// <summary>For Execute: the new process (in the container's PID namespace).</summary>
    public int Pid { get; init; }

    /// <summary>For Wait: the status as wait(2) gives it (exit code in bits 8-15, signal in bits 0-6, core flag 0x80).</summary>
    public int WaitStatus { get; init; }

    /// <summary>For Processes.</summary>
    public ProcessInfo[]? Processes { get; init; }

    /// <summary>For State.</summary>
    public SandboxStateInfo? State { get; init; }

    /// <summary>A refusal.</summary>
    public static ControlReply Failed(ControlErrorKind kind, string message) => new() { Error = new ControlError(kind, message) };
}

/// <summary>One process, as <c>runsc ps</c> shows it.</summary>
public sealed record ProcessInfo
{
    /// <summary>The user.</summary>
    public uint Uid { get; init; }

    /// <summary>The process id in the container.</summary>
    public int Pid { get; init; }

    /// <summary>The parent's id.</summary>
    public int Ppid { get; init; }

    /// <summary>How many threads it has.</summary>
    public int Threads { get; init; }

    /// <summary>When it started, in seconds since 1970.</summary>
    public long StartTimeSeconds { get; init; }

    /// <summary>CPU time used, in nanoseconds.</summary>
    public long CpuTimeNs { get; init; }

    /// <summary>Its terminal ("pts/0"), or "?".</summary>
    public string Tty { get; init; } = "?";

    /// <summary>The program's name (comm).</summary>
    public string Command { get; init; } = "";
}

/// <summary>Where a container stands.</summary>
public enum SandboxPhase
{
    /// <summary>The sentry stands; the first process has not been started.</summary>
    Created,

    /// <summary>The first process runs.</summary>
    Running,

    /// <summary>The first process has ended.</summary>
    Stopped,
}

/// <summary>The state of a sandbox.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="ProcessCount">How many processes live in it.</param>
public sealed record SandboxStateInfo(SandboxPhase Phase, int ProcessCount);
