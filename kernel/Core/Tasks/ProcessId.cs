// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Namespaces;

namespace CVisor.Core.Tasks;

/// <summary>An id of a thread, a process group or a session: its numbers in each PID namespace that knows it, and what it names now. Never reused, so it is safe to keep (pidfd).</summary>
public sealed class ProcessId
{
    private readonly int[] _numbers;

    internal ProcessId(PidNamespace ns, int[] numbers) => (Namespace, _numbers) = (ns, numbers);

    /// <summary>The innermost namespace that knows it.</summary>
    public PidNamespace Namespace { get; }

    /// <summary>The number in the initial namespace.</summary>
    public int Global => _numbers[0];

    /// <summary>The number in its own namespace.</summary>
    public int Local => _numbers[^1];

    /// <summary>The thread of this id, until it has been waited for. Guarded by the task set's lock.</summary>
    internal Task? Task { get; set; }

    /// <summary>The process group of this id. Guarded by the task set's lock.</summary>
    internal ProcessGroup? Group { get; set; }

    /// <summary>The session of this id. Guarded by the task set's lock.</summary>
    internal Session? Session { get; set; }

    /// <summary>The number that a namespace sees; 0 when it does not see it.</summary>
    public int NumberIn(PidNamespace ns) => ns.Level < _numbers.Length && Namespace.IsWithin(ns) ? _numbers[ns.Level] : 0;

    internal void ReleaseIfUnusedLocked()
    {
        if (Task is null && Group is null && Session is null)
        {
            Namespace.RemoveLocked(this);
        }
    }
}
