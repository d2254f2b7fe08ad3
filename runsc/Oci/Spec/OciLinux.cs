// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Runsc.Oci;

/// <summary>Linux settings (config-linux.md).</summary>
public sealed record OciLinux
{
    /// <summary>User ids of the container's user namespace.</summary>
    public OciIdMapping[]? UidMappings { get; init; }

    /// <summary>Group ids of the container's user namespace.</summary>
    public OciIdMapping[]? GidMappings { get; init; }

    /// <summary>sysctl settings.</summary>
    public Dictionary<string, string>? Sysctl { get; init; }

    /// <summary>Limits.</summary>
    public OciResources? Resources { get; init; }

    /// <summary>Where the cgroup lies: a path, or "slice:prefix:name" with systemd.</summary>
    public string? CgroupsPath { get; init; }

    /// <summary>Namespaces, new ones or joined ones.</summary>
    public OciNamespace[]? Namespaces { get; init; }

    /// <summary>Devices to be there.</summary>
    public OciDevice[]? Devices { get; init; }

    /// <summary>The seccomp filter; it is applied only with --oci-seccomp.</summary>
    public OciSeccomp? Seccomp { get; init; }

    /// <summary>Propagation of the root mount.</summary>
    public string? RootfsPropagation { get; init; }

    /// <summary>Paths that are hidden.</summary>
    public string[]? MaskedPaths { get; init; }

    /// <summary>Paths that are read-only.</summary>
    public string[]? ReadonlyPaths { get; init; }

    /// <summary>A SELinux label for mounts; refused.</summary>
    public string? MountLabel { get; init; }
}

/// <summary>A range of ids.</summary>
public sealed record OciIdMapping
{
    /// <summary>The first id in the container.</summary>
    public uint ContainerID { get; init; }

    /// <summary>The first id on the host.</summary>
    public uint HostID { get; init; }

    /// <summary>How many.</summary>
    public uint Size { get; init; }
}

/// <summary>A namespace.</summary>
public sealed record OciNamespace
{
    /// <summary>"pid", "network", "mount", "ipc", "uts", "user", "cgroup" or "time".</summary>
    public string? Type { get; init; }

    /// <summary>The one to join; empty for a new one.</summary>
    public string? Path { get; init; }
}

/// <summary>A device node.</summary>
public sealed record OciDevice
{
    /// <summary>Its path in the container.</summary>
    public string? Path { get; init; }

    /// <summary>"c", "b", "u" or "p".</summary>
    public string? Type { get; init; }

    /// <summary>The major number.</summary>
    public long Major { get; init; }

    /// <summary>The minor number.</summary>
    public long Minor { get; init; }

    /// <summary>Permission bits, perhaps with the type's; null for 0666.</summary>
    public uint? FileMode { get; init; }

    /// <summary>The owner; null for 0.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group; null for 0.</summary>
    public uint? Gid { get; init; }
}
