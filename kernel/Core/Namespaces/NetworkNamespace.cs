// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;

namespace CVisor.Core.Namespaces;

/// <summary>A network namespace (network_namespaces(7)): its interfaces, ports and abstract socket names.</summary>
/// <param name="owner">The user namespace in which capabilities count here.</param>
public sealed class NetworkNamespace(UserNamespace owner) : Namespace(owner)
{
    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Network;

    /// <summary>The network stack, made by kernel/Sockets on first use; the core does not look inside.</summary>
    public object? Stack;
}
