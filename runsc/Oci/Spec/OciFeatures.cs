// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Runsc.Oci;

/// <summary>What the runtime can do (features.md).</summary>
public sealed record OciFeatures
{
    /// <summary>The oldest spec version accepted.</summary>
    public required string OciVersionMin { get; init; }

    /// <summary>The newest spec version accepted.</summary>
    public required string OciVersionMax { get; init; }

    /// <summary>Hooks that are run.</summary>
    public required string[] Hooks { get; init; }

    /// <summary>Mount options that are understood.</summary>
    public required string[] MountOptions { get; init; }

    /// <summary>Linux features.</summary>
    public required OciLinuxFeatures Linux { get; init; }

    /// <summary>Implementation-specific facts.</summary>
    public required Dictionary<string, string> Annotations { get; init; }
}

/// <summary>Linux features.</summary>
public sealed record OciLinuxFeatures
{
    /// <summary>Namespaces.</summary>
    public required string[] Namespaces { get; init; }

    /// <summary>Capabilities.</summary>
    public required string[] Capabilities { get; init; }

    /// <summary>Control groups.</summary>
    public required OciCgroupFeatures Cgroup { get; init; }

    /// <summary>seccomp.</summary>
    public required OciEnabled Seccomp { get; init; }

    /// <summary>AppArmor.</summary>
    public required OciEnabled Apparmor { get; init; }

    /// <summary>SELinux.</summary>
    public required OciEnabled Selinux { get; init; }

    /// <summary>Intel RDT.</summary>
    public required OciEnabled IntelRdt { get; init; }
}

/// <summary>Control groups.</summary>
public sealed record OciCgroupFeatures
{
    /// <summary>cgroup v1.</summary>
    public bool V1 { get; init; }

    /// <summary>cgroup v2.</summary>
    public bool V2 { get; init; }

    /// <summary>The systemd driver, as root.</summary>
    public bool Systemd { get; init; }

    /// <summary>The systemd driver, of a user.</summary>
    public bool SystemdUser { get; init; }

    /// <summary>RDMA.</summary>
    public bool Rdma { get; init; }
}

/// <summary>Whether something is there.</summary>
public sealed record OciEnabled
{
    /// <summary>Whether it is.</summary>
    public bool Enabled { get; init; }
}
