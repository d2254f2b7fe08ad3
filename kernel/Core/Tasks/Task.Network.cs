// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Namespaces;

namespace CVisor.Core.Tasks;

/// <summary>The network of a task.</summary>
public sealed partial class Task
{
    /// <summary>The network namespace: the kernel's initial one until unshare(2), setns(2) or clone(2) gives another.</summary>
    public NetworkNamespace NetworkNamespace => Namespaces.Network;
}

/// <summary>The network of the sandbox.</summary>
public sealed partial class Kernel
{
    /// <summary>The network namespace that the first process starts in.</summary>
    public NetworkNamespace InitialNetworkNamespace { get; } = new(Credentials.UserNamespace.Initial);
}
