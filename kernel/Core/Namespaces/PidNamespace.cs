// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;

namespace CVisor.Core.Namespaces;

/// <summary>A space of process ids (pid_namespaces(7)). A task has a number in its own namespace and in every ancestor. Guarded by the task set's lock.</summary>
public sealed class PidNamespace : Namespace
{
    /// <summary>The highest number and one, as /proc/sys/kernel/pid_max of a small machine.</summary>
    public const int MaximumPid = 4_194_304;

    /// <summary>How deep namespaces may be nested.</summary>
    public const int MaximumLevel = 32;

    // Numbers below this one are left to early processes once the counter has wrapped around.
    private const int FirstAfterWrap = 300;

    private readonly SortedDictionary<int, ProcessId> _ids = [];
    private int _last;

    /// <summary>Makes a namespace.</summary>
    /// <param name="parent">The parent; null for the initial one.</param>
    /// <param name="owner">The owning user namespace.</param>
    public PidNamespace(PidNamespace? parent, UserNamespace owner)
        : base(owner) => (Parent, Level) = (parent, parent is null ? 0 : parent.Level + 1);

    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.Pid;

    /// <summary>The parent, or null.</summary>
    public PidNamespace? Parent { get; }

    /// <summary>0 for the initial namespace, one more for each nesting.</summary>
    public int Level { get; }

    /// <summary>The process that has number 1 here, once there is one.</summary>
    public ThreadGroup? Init { get; internal set; }

    /// <summary>Whether the first process has ended: nothing more is born here.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>The ids in use, in order of their numbers here.</summary>
    internal IReadOnlyCollection<ProcessId> IdsLocked => _ids.Values;

    /// <summary>Whether this namespace is the other one or lies inside it.</summary>
    public bool IsWithin(PidNamespace other)
    {
        PidNamespace? at = this;
        while (at is not null && at.Level > other.Level)
        {
            at = at.Parent;
        }

        return at == other;
    }

    /// <summary>What has this number here, or null.</summary>
    internal ProcessId? FindLocked(int number) => _ids.GetValueOrDefault(number);

    /// <summary>A fresh id, known in this namespace and all its ancestors.</summary>
    /// <param name="wanted">Numbers that it is to have, from this namespace outwards; null or short for whatever is free.</param>
    /// <param name="id">The id, or null.</param>
    /// <returns>None; EAGAIN when there is no number left; ENOMEM when the namespace is closed; EEXIST when a wanted number is taken; EINVAL when one is not possible.</returns>
    internal Errno AllocateLocked(int[]? wanted, out ProcessId? id)
    {
        id = null;
        if (IsClosed)
        {
            return Errno.ENOMEM;
        }

        int[] numbers = new int[Level + 1];
        for (PidNamespace? at = this; at is not null; at = at.Parent)
        {
            int index = Level - at.Level;
            bool isWanted = wanted is not null && index < wanted.Length;
            int number = isWanted ? wanted![index] : at.NextFreeLocked();
            if (number < 0)
            {
                return Errno.EAGAIN;
            }

            if (isWanted && (number is 0 or >= MaximumPid || (number != 1 && at.Init is null)))
            {
                return Errno.EINVAL;
            }

            if (isWanted && at._ids.ContainsKey(number))
            {
                return Errno.EEXIST;
            }

            numbers[at.Level] = number;
        }

        id = new ProcessId(this, numbers);
        for (PidNamespace? at = this; at is not null; at = at.Parent)
        {
            at._ids.Add(numbers[at.Level], id);
            at._last = numbers[at.Level];
        }

        return Errno.None;
    }

    internal void RemoveLocked(ProcessId id)
    {
        for (PidNamespace? at = this; at is not null; at = at.Parent)
        {
            _ = at._ids.Remove(id.NumberIn(at));
        }
    }

    private int NextFreeLocked()
    {
        int number = _last + 1;
        for (int tries = 0; tries < MaximumPid; tries++, number++)
        {
            if (number >= MaximumPid)
            {
                number = FirstAfterWrap;
            }

            if (!_ids.ContainsKey(number))
            {
                return number;
            }
        }

        return -1;
    }
}
