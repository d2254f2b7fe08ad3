// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text.Json.Serialization;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>What is kept of a container between commands: one JSON file in the state directory.</summary>
public sealed record ContainerState
{
    /// <summary>The container's id.</summary>
    public required string Id { get; init; }

    /// <summary>The spec version of the bundle.</summary>
    public required string OciVersion { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>The root's absolute path on the host.</summary>
    public required string Rootfs { get; init; }

    /// <summary>When it was made, RFC 3339, UTC.</summary>
    public required string Created { get; init; }

    /// <summary>The user that made it.</summary>
    public required string Owner { get; init; }

    /// <summary>The sandbox process.</summary>
    public required ProcessIdentity Sandbox { get; init; }

    /// <summary>The gofer process.</summary>
    public required ProcessIdentity Gofer { get; init; }

    /// <summary>Whether the first process was started.</summary>
    public bool Started { get; init; }

    /// <summary>The spec's process, from which <c>exec</c> takes what it is not told.</summary>
    public required OciProcess Process { get; init; }

    /// <summary>Hooks that are still to run.</summary>
    public OciHooks? Hooks { get; init; }

    /// <summary>The spec's annotations.</summary>
    public Dictionary<string, string>? Annotations { get; init; }

    /// <summary>Cgroup directories that were made for it, deepest first.</summary>
    public string[] Cgroups { get; init; } = [];
}

/// <summary>Where a container stands.</summary>
public enum ContainerStatus
{
    /// <summary>Made, its process not started.</summary>
    Created,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its process has ended.</summary>
    Stopped,
}

/// <summary>Compiled JSON reader and writer of <see cref="ContainerState"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerState))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
