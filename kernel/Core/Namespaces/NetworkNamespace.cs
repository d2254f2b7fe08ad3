// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;

namespace CVisor.Core.Namespaces;

/// <summary>A network namespace (network_namespaces(7)): its interfaces, ports and abstract socket names.</summary>
public sealed class NetworkNamespace
{
    /// <summary>Makes a namespace.</summary>
    /// <param name="owner">The user namespace in which capabilities count here.</param>
    public NetworkNamespace(UserNamespace owner) => Owner = owner;

    /// <summary>The user namespace in which capabilities count here.</summary>
    public UserNamespace Owner { get; }

    /// <summary>The network stack, made by kernel/Sockets on first use; the core does not look inside.</summary>
    public object? Stack;
}
