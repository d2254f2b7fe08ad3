// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>What the gofer process is told at its start, as JSON in a memfd. runsc's own code in the new process turns it into an empty root and one descriptor a tree, then enters the gofer proper with those.</summary>
public sealed record GoferConfig
{
    /// <summary>One connection for each tree of files.</summary>
    public required GoferTree[] Trees { get; init; }

    /// <summary>The write end of a pipe: why the process could not confine itself; closed without a word when it could.</summary>
    public int Start { get; init; } = -1;

    /// <summary>What the process does to itself first.</summary>
    public BootJail Jail { get; init; } = new();

    /// <summary>--host-uds: "none", "open", "create" or "all".</summary>
    public string HostUds { get; init; } = "none";

    /// <summary>--host-fifo: "none" or "open".</summary>
    public string HostFifo { get; init; } = "none";

    /// <summary>--directfs: the client gets descriptors of the trees themselves.</summary>
    public bool DirectFs { get; init; } = true;

    /// <summary>The debug log, opened for appending; -1 for none.</summary>
    public int DebugLog { get; init; } = -1;
}

/// <summary>A tree of the host's files that the gofer serves on a connection.</summary>
public sealed record GoferTree
{
    /// <summary>Our end of the socketpair; the other is in <see cref="BootFds.GoferSockets"/>.</summary>
    public required int Socket { get; init; }

    /// <summary>The host path of the tree's root; a directory or a single file.</summary>
    public required string Source { get; init; }

    /// <summary>Nothing may be changed.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Mounts below the source are part of the tree (rbind, and the root).</summary>
    public bool Recursive { get; init; } = true;
}
