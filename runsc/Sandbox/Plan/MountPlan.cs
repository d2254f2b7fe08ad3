// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Sandbox;

/// <summary>A container's mounts: what the sentry is told of them, and the trees the gofer serves for them.</summary>
public sealed class MountPlan
{
    /// <summary>The mounts, the root first.</summary>
    public List<BootMount> Mounts { get; } = [];

    /// <summary>One a gofer mount, in the order of <see cref="BootMount.GoferIndex"/>.</summary>
    public List<PlannedTree> Trees { get; } = [];

    /// <summary>What a person should know about the spec: settings that are ignored.</summary>
    public List<string> Warnings { get; } = [];
}

/// <summary>A tree of host files for the gofer.</summary>
/// <param name="Source">The host path.</param>
/// <param name="ReadOnly">Nothing in it may be changed.</param>
/// <param name="Recursive">With the mounts below it.</param>
/// <param name="FilestoreDirectory">Where the upper layer's data file is made; null for none.</param>
public sealed record PlannedTree(string Source, bool ReadOnly, bool Recursive, string? FilestoreDirectory);
