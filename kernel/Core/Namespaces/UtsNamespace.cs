// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Credentials;

namespace CVisor.Core.Namespaces;

/// <summary>Host and domain name (uts_namespaces(7)).</summary>
public sealed class UtsNamespace(UserNamespace owner, string hostName, string domainName) : Namespace(owner)
{
    private string _hostName = hostName;
    private string _domainName = domainName;

    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Uts;

    /// <summary>The node name: at most 64 bytes.</summary>
    public string HostName
    {
        get => Volatile.Read(ref _hostName);
        set => Volatile.Write(ref _hostName, value);
    }

    /// <summary>The NIS domain name: at most 64 bytes.</summary>
    public string DomainName
    {
        get => Volatile.Read(ref _domainName);
        set => Volatile.Write(ref _domainName, value);
    }

    /// <summary>A namespace that starts with the same names.</summary>
    public UtsNamespace Clone(UserNamespace owner) => new(owner, HostName, DomainName);
}

/// <summary>System V IPC and POSIX message queues (ipc_namespaces(7)); its tables live where they are served.</summary>
public sealed partial class IpcNamespace(UserNamespace owner) : Namespace(owner)
{
    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Ipc;
}

/// <summary>A mount namespace as setns(2) and /proc/PID/ns know it.</summary>
public sealed class MountNamespaceIdentity(Vfs.MountNamespace mounts) : Namespace(mounts.Owner)
{
    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Mount;

    /// <summary>The mounts.</summary>
    public Vfs.MountNamespace Mounts { get; } = mounts;
}

/// <summary>A view of the cgroup tree (cgroup_namespaces(7)).</summary>
public sealed class CgroupNamespace(UserNamespace owner) : Namespace(owner)
{
    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Cgroup;
}
