// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Client;

/// <summary>Why a walk ended.</summary>
public enum WalkEnd
{
    /// <summary>Every component was walked.</summary>
    All = 0,

    /// <summary>The last component walked is a symbolic link, and more follow.</summary>
    Symlink = 1,

    /// <summary>The next component does not exist.</summary>
    Missing = 2,

    /// <summary>The last component walked is neither a directory nor a link, and more follow.</summary>
    NotDirectory = 3,
}

/// <summary>What a mount is, as its gofer said at the attach.</summary>
[Flags]
public enum MountTraits
{
    /// <summary>Nothing in particular.</summary>
    None = 0,

    /// <summary>Nothing may be changed.</summary>
    ReadOnly = 1,

    /// <summary>Descriptors of regular files are handed over.</summary>
    DonatesFiles = 2,

    /// <summary>The root's descriptor was handed over.</summary>
    RootHandedOver = 4,
}

/// <summary>An entry of a directory.</summary>
/// <param name="Name">The name, one char for each byte.</param>
/// <param name="Ino">The inode number.</param>
/// <param name="Type">DT_* of readdir(3).</param>
/// <param name="Next">Where to read on after it.</param>
public readonly record struct GoferEntry(string Name, ulong Ino, byte Type, ulong Next);

/// <summary>An open file: the host's descriptor, or a fid whose I/O goes through the gofer.</summary>
/// <param name="HostFd">The descriptor, the caller's to close; -1 when there is none.</param>
/// <param name="Fid">The open fid; 0 when there is a descriptor.</param>
public readonly record struct GoferOpen(int HostFd, uint Fid)
{
    /// <summary>Whether the descriptor was handed over.</summary>
    public bool IsDonated => HostFd >= 0;
}

/// <summary>What to change of a file's attributes; what is null stays.</summary>
public readonly record struct GoferChange
{
    /// <summary>Permission bits.</summary>
    public uint? Mode { get; init; }

    /// <summary>The owner.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group.</summary>
    public uint? Gid { get; init; }

    /// <summary>The size in bytes.</summary>
    public ulong? Size { get; init; }

    /// <summary>The last access, nanoseconds since 1970; <see cref="Now"/> for the host's time.</summary>
    public long? AtimeNs { get; init; }

    /// <summary>The last change of content, nanoseconds since 1970; <see cref="Now"/> for the host's time.</summary>
    public long? MtimeNs { get; init; }

    /// <summary>The time of the host's own clock.</summary>
    public const long Now = long.MinValue;
}
