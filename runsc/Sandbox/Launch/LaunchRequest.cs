// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>What a sandbox is started from. The descriptors stay the caller's.</summary>
public sealed record LaunchRequest
{
    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>The spec, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The first process.</summary>
    public required ProcessSpec Process { get; init; }

    /// <summary>The mounts.</summary>
    public required MountPlan Mounts { get; init; }

    /// <summary>The flags.</summary>
    public required RuntimeConfig Config { get; init; }

    /// <summary>Where the control socket is made.</summary>
    public required string ControlPath { get; init; }

    /// <summary>The guest's standard input, output and error, each 3 or above.</summary>
    public required int[] Stdio { get; init; }

    /// <summary>Further descriptors for the guest, each 3 or above.</summary>
    public PassedFd[] Passed { get; init; } = [];

    /// <summary>The processes die with this one.</summary>
    public bool Attached { get; init; }

    /// <summary>The first process starts at once.</summary>
    public bool StartAtOnce { get; init; }

    /// <summary>The sandbox's debug log; -1 for none.</summary>
    public int DebugLog { get; init; } = -1;

    /// <summary>The gofer's debug log; -1 for none.</summary>
    public int GoferDebugLog { get; init; } = -1;

    /// <summary>The panic log; -1 for none.</summary>
    public int PanicLog { get; init; } = -1;

    /// <summary>The user's log; -1 for none.</summary>
    public int UserLog { get; init; } = -1;

    /// <summary>The file for the exit status; -1 for none.</summary>
    public int ExitStatus { get; init; } = -1;

    /// <summary>The ids of a rootless or mapped container; null for the host's.</summary>
    public UserMapping? Mapping { get; init; }

    /// <summary>Called with each new process's PID before it does any work of note, to put it into its cgroup.</summary>
    public Action<int>? Started { get; init; }
}
