// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>What a container is made from.</summary>
public sealed record CreateOptions
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>The spec, validated.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The flags, the spec's annotations applied.</summary>
    public required RuntimeConfig Config { get; init; }

    /// <summary>The first process, when it is not to be taken from the spec (arguments that are no UTF-8).</summary>
    public ProcessSpec? Process { get; init; }

    /// <summary>Where the terminal's master is sent; empty for nowhere.</summary>
    public string ConsoleSocket { get; init; } = "";

    /// <summary>Whether the standard streams are a raw terminal of the host, to be joined to one of the container's.</summary>
    public bool HasTerminal { get; init; }

    /// <summary>Where the sandbox's PID is written; empty for nowhere.</summary>
    public string PidFile { get; init; } = "";

    /// <summary>The log for the container's user; empty for none.</summary>
    public string UserLog { get; init; } = "";

    /// <summary>Descriptors passed to the guest.</summary>
    public PassedFd[] Passed { get; init; } = [];

    /// <summary>The processes die with us.</summary>
    public bool Attached { get; init; }

    /// <summary>Start the first process too.</summary>
    public bool Start { get; init; }

    /// <summary>Told what is ignored in the spec, and what failed without stopping us.</summary>
    public Action<string> Warn { get; init; } = static _ => { };
}
