// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>What stands behind a mount.</summary>
public enum BootMountKind
{
    /// <summary>Files of the host, reached through the gofer (the root, and every bind mount).</summary>
    Gofer,

    /// <summary>An empty file system in sandbox memory.</summary>
    Tmpfs,

    /// <summary>/proc.</summary>
    Proc,

    /// <summary>/sys.</summary>
    Sysfs,

    /// <summary>/dev with the usual devices.</summary>
    Dev,

    /// <summary>/dev/pts.</summary>
    Devpts,

    /// <summary>/dev/mqueue.</summary>
    Mqueue,

    /// <summary>/sys/fs/cgroup.</summary>
    Cgroup,
}

/// <summary>Where writes to a gofer mount go.</summary>
public enum BootOverlay
{
    /// <summary>To the host's files.</summary>
    None,

    /// <summary>To an upper layer in sandbox memory.</summary>
    Memory,

    /// <summary>To an upper layer whose data is kept in the file <see cref="BootMount.FilestoreFd"/>.</summary>
    Filestore,
}

/// <summary>One mount of the container.</summary>
public sealed record BootMount
{
    /// <summary>The guest path, absolute.</summary>
    public required string Destination { get; init; }

    /// <summary>What stands behind it.</summary>
    public required BootMountKind Kind { get; init; }

    /// <summary>For <see cref="BootMountKind.Gofer"/>: the index of its socket in <see cref="BootFds.GoferSockets"/>.</summary>
    public int GoferIndex { get; init; } = -1;

    /// <summary>For a gofer mount: the source is a file (not a directory), mounted over a file.</summary>
    public bool IsFile { get; init; }

    /// <summary>Where writes go.</summary>
    public BootOverlay Overlay { get; init; }

    /// <summary>The descriptor of the upper layer's data file; -1 when there is none.</summary>
    public int FilestoreFd { get; init; } = -1;

    /// <summary>The most the upper layer may hold, in bytes; 0 for no limit.</summary>
    public long OverlaySizeBytes { get; init; }

    /// <summary>For a gofer mount: nobody outside changes these files, so that names and attributes may be cached.</summary>
    public bool Exclusive { get; init; }

    /// <summary>Mounted read-only.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Set-user-ID bits are ignored.</summary>
    public bool NoSuid { get; init; }

    /// <summary>Device files are refused.</summary>
    public bool NoDev { get; init; }

    /// <summary>Programs are refused.</summary>
    public bool NoExec { get; init; }

    /// <summary>Access times are left alone.</summary>
    public bool NoAtime { get; init; }

    /// <summary>The file system's own options ("size=64k", "mode=755").</summary>
    public string[] Options { get; init; } = [];

    /// <summary>The name /proc/mounts shows as the source.</summary>
    public string Source { get; init; } = "none";
}
