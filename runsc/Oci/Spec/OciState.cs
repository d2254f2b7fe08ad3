// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Runsc.Oci;

/// <summary>The state of a container as <c>state</c> prints it and hooks get it (runtime.md).</summary>
public sealed record OciState
{
    /// <summary>The specification's version.</summary>
    public required string OciVersion { get; init; }

    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>"creating", "created", "running" or "stopped".</summary>
    public required string Status { get; init; }

    /// <summary>The sandbox process on the host; 0 when it is gone.</summary>
    public int Pid { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>The spec's annotations.</summary>
    public Dictionary<string, string>? Annotations { get; init; }
}
