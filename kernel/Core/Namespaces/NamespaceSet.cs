// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;

namespace CVisor.Core.Namespaces;

/// <summary>The namespaces of a task but for its user namespace (which its credentials hold), its own PID namespace (which never changes) and its mounts.</summary>
/// <remarks>Immutable, so that a reader needs no lock.</remarks>
public sealed record NamespaceSet
{
    /// <summary>Host and domain name.</summary>
    public required UtsNamespace Uts { get; init; }

    /// <summary>System V IPC.</summary>
    public required IpcNamespace Ipc { get; init; }

    /// <summary>The network.</summary>
    public required NetworkNamespace Network { get; init; }

    /// <summary>The cgroup view.</summary>
    public required CgroupNamespace Cgroup { get; init; }

    /// <summary>Where the task's children get their PIDs.</summary>
    public required PidNamespace PidForChildren { get; init; }

    /// <summary>The namespaces that a sandbox starts with.</summary>
    /// <param name="pids">The initial PID namespace.</param>
    /// <param name="network">The initial network.</param>
    /// <param name="hostName">The node name.</param>
    public static NamespaceSet CreateInitial(PidNamespace pids, NetworkNamespace network, string hostName) => new()
    {
        Uts = new UtsNamespace(UserNamespace.Initial, hostName, "(none)"),
        Ipc = new IpcNamespace(UserNamespace.Initial),
        Network = network,
        Cgroup = new CgroupNamespace(UserNamespace.Initial),
        PidForChildren = pids,
    };

    /// <summary>The set with new namespaces in place of the kinds that are asked for.</summary>
    /// <param name="kinds">What to replace; Mount and User are not this set's.</param>
    /// <param name="owner">The owner of the new ones.</param>
    public NamespaceSet With(NamespaceKind kinds, UserNamespace owner)
    {
        NamespaceSet set = this;
        if ((kinds & NamespaceKind.Uts) != 0)
        {
            set = set with { Uts = Uts.Clone(owner) };
        }

        if ((kinds & NamespaceKind.Ipc) != 0)
        {
            set = set with { Ipc = new IpcNamespace(owner) };
        }

        if ((kinds & NamespaceKind.Network) != 0)
        {
            set = set with { Network = new NetworkNamespace(owner) };
        }

        if ((kinds & NamespaceKind.Cgroup) != 0)
        {
            set = set with { Cgroup = new CgroupNamespace(owner) };
        }

        if ((kinds & NamespaceKind.Pid) != 0)
        {
            set = set with { PidForChildren = new PidNamespace(PidForChildren, owner) };
        }

        return set;
    }
}
