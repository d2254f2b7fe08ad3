// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Server;

/// <summary>What the clients of a tree may do.</summary>
public sealed record TreeOptions
{
    /// <summary>Nothing may be changed; EROFS.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Descriptors of regular files are handed over when they are opened.</summary>
    public bool DonatesFiles { get; init; } = true;

    /// <summary>The root's descriptor is handed over to a client that asks (directfs).</summary>
    public bool DonatesRoot { get; init; }

    /// <summary>Unix sockets of the host may be connected to.</summary>
    public bool OpensSockets { get; init; }

    /// <summary>Unix sockets of the host may be made.</summary>
    public bool CreatesSockets { get; init; }

    /// <summary>FIFOs of the host may be opened.</summary>
    public bool OpensFifos { get; init; }

    /// <summary>
    /// What comes before a descriptor's number in a path that names its file: nothing when the working directory is this
    /// process's /proc/self/fd, as in the gofer; otherwise <c>/proc/self/fd/</c>. Only unix sockets need a path.
    /// </summary>
    public string DescriptorPathPrefix { get; init; } = "";
}
