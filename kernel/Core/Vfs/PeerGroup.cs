// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>Mounts that pass mounts and unmounts on to each other, and those that only receive them (mount_namespaces(7), "peer group" and "slave"). Guarded by the lock of all mount trees.</summary>
public sealed class PeerGroup
{
    private static int s_nextId;
    private readonly List<Mount> _members = [];
    private readonly List<Mount> _slaves = [];

    /// <summary>The number in /proc/PID/mountinfo.</summary>
    public int Id { get; } = Interlocked.Increment(ref s_nextId);

    /// <summary>Who passes on and receives.</summary>
    internal IReadOnlyList<Mount> Members => _members;

    /// <summary>Who receives.</summary>
    internal IReadOnlyList<Mount> Slaves => _slaves;

    /// <summary>Makes a mount a member; it is in no group.</summary>
    internal void Add(Mount mount)
    {
        mount.Peers = this;
        _members.Add(mount);
    }

    /// <summary>Makes a mount a slave; it has no master.</summary>
    internal void AddSlave(Mount mount)
    {
        mount.Master = this;
        _slaves.Add(mount);
    }

    /// <summary>Lets a mount have no master.</summary>
    internal static void RemoveSlave(Mount mount)
    {
        _ = mount.Master?._slaves.Remove(mount);
        mount.Master = null;
    }

    /// <summary>Lets a mount leave its group: it becomes a slave of those that stay; when nobody does, its slaves become those of its master (do_make_slave()).</summary>
    internal static void Leave(Mount mount)
    {
        if (mount.Peers is not { } group)
        {
            return;
        }

        mount.Peers = null;
        _ = group._members.Remove(mount);
        if (group._members.Count > 0)
        {
            RemoveSlave(mount);
            group.AddSlave(mount);
            return;
        }

        foreach (Mount slave in group._slaves.ToArray())
        {
            RemoveSlave(slave);
            mount.Master?.AddSlave(slave);
        }
    }
}
