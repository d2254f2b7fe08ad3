// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>What the number of an <see cref="AsyncOwner"/> means (F_OWNER_*).</summary>
public enum AsyncOwnerKind
{
    /// <summary>A thread.</summary>
    Thread = 0,

    /// <summary>A process.</summary>
    Process = 1,

    /// <summary>A process group.</summary>
    ProcessGroup = 2,
}

/// <summary>Who is to be told of a description's events by a signal (F_SETOWN, F_SETSIG).</summary>
/// <param name="Kind">What the number means.</param>
/// <param name="Pid">The number; 0 for nobody.</param>
/// <param name="Signal">The signal; 0 for SIGIO.</param>
public sealed record AsyncOwner(AsyncOwnerKind Kind, int Pid, int Signal)
{
    /// <summary>Nobody.</summary>
    public static AsyncOwner Nobody { get; } = new(AsyncOwnerKind.Process, 0, 0);

    /// <summary>Where the number is one; null for nobody.</summary>
    public PidNamespace? Namespace { get; init; }

    /// <summary>Who named the owner: with these rights the signal is sent.</summary>
    public UserCredentials Sender { get; init; } = UserCredentials.Root;

    /// <summary>The same signal, to somebody else.</summary>
    /// <param name="task">Who names the owner.</param>
    /// <param name="kind">What the number means.</param>
    /// <param name="pid">The number.</param>
    public AsyncOwner Named(Task task, AsyncOwnerKind kind, int pid) => this with { Kind = kind, Pid = pid, Namespace = task.PidNamespace, Sender = task.Credentials };
}
