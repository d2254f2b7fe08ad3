// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>
/// Everything the sandbox process is told at its start. runsc has resolved the OCI spec and its own flags into this; the
/// sentry never reads either. Handed over as JSON in a memfd (see <see cref="BootConfigFile"/>).
/// </summary>
/// <remarks>Strings that name things inside the guest (paths, arguments) hold one char per byte (see <see cref="GuestText"/>).</remarks>
public sealed record BootConfig
{
    /// <summary>The container's id, for messages.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The first process of the container.</summary>
    public required ProcessSpec Process { get; init; }

    /// <summary>The file systems, in mounting order; the first is the root ("/").</summary>
    public required BootMount[] Mounts { get; init; }

    /// <summary>The UTS host name; empty leaves the sentry's default.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>The UTS domain name.</summary>
    public string Domainname { get; init; } = "";

    /// <summary>Guest paths over which an empty read-only file or directory is mounted.</summary>
    public string[] MaskedPaths { get; init; } = [];

    /// <summary>Guest paths that are remounted read-only.</summary>
    public string[] ReadonlyPaths { get; init; } = [];

    /// <summary>sysctl settings, as "net.ipv4.ip_forward" and a value.</summary>
    public BootSetting[] Sysctls { get; init; } = [];

    /// <summary>Device nodes and FIFOs to be made.</summary>
    public BootDevice[] Devices { get; init; } = [];

    /// <summary>The filter of the container's system calls; null for none.</summary>
    public BootSeccomp? Seccomp { get; init; }

    /// <summary>The runtime's flags that concern the sentry.</summary>
    public required BootFlags Flags { get; init; }

    /// <summary>The descriptors that came with this process.</summary>
    public required BootFds Fds { get; init; }

    /// <summary>What the process does to itself before the sentry starts; done by runsc's own code, the sentry may ignore it.</summary>
    public BootJail Jail { get; init; } = new();

    /// <summary>How many CPUs the guest sees; 0 for as many as the host lets us use.</summary>
    public int CpuCount { get; init; }

    /// <summary>How much memory the guest sees, in bytes; 0 for the host's.</summary>
    public long TotalMemoryBytes { get; init; }

    /// <summary>Start the first process as soon as the sentry stands, without waiting for StartRoot on the control socket.</summary>
    public bool StartAtOnce { get; init; }
}

/// <summary>A device node or a FIFO.</summary>
/// <param name="Path">Its path in the container.</param>
/// <param name="Type">'c', 'b' or 'p'.</param>
/// <param name="Major">The major number.</param>
/// <param name="Minor">The minor number.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
public sealed record BootDevice(string Path, char Type, uint Major, uint Minor, uint Mode, uint Uid, uint Gid);

/// <summary>A name and a value.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value.</param>
public sealed record BootSetting(string Name, string Value);

/// <summary>Confinement that the new process applies to itself before anything else.</summary>
public sealed record BootJail
{
    /// <summary>The host user to become; -1 to stay.</summary>
    public long Uid { get; init; } = -1;

    /// <summary>The host group to become; -1 to stay.</summary>
    public long Gid { get; init; } = -1;

    /// <summary>Die when the process that started us dies (an attached run).</summary>
    public bool DieWithParent { get; init; }

    /// <summary>The mount namespace is our own: replace the root by an empty directory.</summary>
    public bool EmptyRoot { get; init; } = true;
}
