// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>How mounts and unmounts spread to peers and slaves, also in other namespaces (mount_namespaces(7); fs/pnode.c).</summary>
public sealed partial class MountNamespace
{
    /// <summary>What a copy is to the mount it is a copy of.</summary>
    private enum CopyKind
    {
        /// <summary>The same: a peer of a shared one, a slave of the same master.</summary>
        Same,

        /// <summary>A slave of a shared one; otherwise the same (a namespace of another user).</summary>
        SlaveOfShared,

        /// <summary>A slave of a shared one, and shared itself.</summary>
        SharedSlave,
    }

    /// <summary>Changes how mounts spread at one mount.</summary>
    [RequiresLock(nameof(s_lock))]
    private static void ChangePropagationLocked(Mount mount, MountPropagation propagation)
    {
        if (propagation == MountPropagation.Shared)
        {
            ShareLocked(mount);
            return;
        }

        PeerGroup.Leave(mount);
        if (propagation != MountPropagation.Slave)
        {
            PeerGroup.RemoveSlave(mount);
            mount.IsUnbindable = propagation == MountPropagation.Unbindable;
        }
    }

    [RequiresLock(nameof(s_lock))]
    private static void ShareLocked(Mount mount)
    {
        mount.IsUnbindable = false;
        if (mount.Peers is null)
        {
            new PeerGroup().Add(mount);
        }
    }

    /// <summary>A copy that is attached nowhere, with one reference.</summary>
    [RequiresLock(nameof(s_lock))]
    private static Mount CopyLocked(Mount mount, Dentry root, CopyKind kind)
    {
        Mount copy = new(mount.FileSystem, root, mount.Flags, mount.Source) { IsUnbindable = mount.IsUnbindable };
        if (mount.Peers is { } peers && kind != CopyKind.Same)
        {
            peers.AddSlave(copy);
            if (kind == CopyKind.SharedSlave)
            {
                new PeerGroup().Add(copy);
            }

            return copy;
        }

        mount.Peers?.Add(copy);
        mount.Master?.AddSlave(copy);
        return copy;
    }

    /// <summary>Lets a tree that was attached just now spread from the mount it lies on.</summary>
    [RequiresLock(nameof(s_lock))]
    private void SpreadLocked(Mount root)
    {
        if (root.MountPoint.Mount?.Peers is not { } group)
        {
            return;
        }

        Mount[] tree = TreeLocked(root);
        foreach (Mount mount in tree)
        {
            ShareLocked(mount);
        }

        SpreadToGroupLocked(group, tree, root.MountPoint, [.. tree, root.MountPoint.Mount], [group]);
    }

    /// <summary>Copies a tree to the members of a group, then to its slaves, and on to theirs.</summary>
    /// <param name="group">The group.</param>
    /// <param name="tree">What is copied, parents first.</param>
    /// <param name="place">Where the original lies.</param>
    /// <param name="spared">The original's mounts and the one it lies on, which get no copy.</param>
    /// <param name="seen">Groups that are served.</param>
    [RequiresLock(nameof(s_lock))]
    private static void SpreadToGroupLocked(PeerGroup group, Mount[] tree, VfsPath place, HashSet<Mount> spared, HashSet<PeerGroup> seen)
    {
        foreach (Mount peer in Receivers(group.Members))
        {
            _ = CopyTreeToLocked(tree, CopyKind.Same, new VfsPath(peer, place.Dentry), spared);
        }

        foreach (Mount slave in Receivers(group.Slaves))
        {
            if (slave.Peers is not { } further)
            {
                _ = CopyTreeToLocked(tree, CopyKind.SlaveOfShared, new VfsPath(slave, place.Dentry), spared);
            }
            else if (seen.Add(further))
            {
                // A slave that is shared: what it receives is passed on to its peers as to peers, and to its slaves.
                Mount[] copy = CopyTreeToLocked(tree, CopyKind.SharedSlave, new VfsPath(slave, place.Dentry), spared);
                SpreadToGroupLocked(further, copy, place, [.. spared, slave], seen);
            }
        }

        Mount[] Receivers(IReadOnlyList<Mount> mounts)
        {
            List<Mount> found = [];
            foreach (Mount mount in mounts)
            {
                if (mount.Namespace is { IsFloating: false } && !spared.Contains(mount) && IsWithin(place.Dentry!, mount.Root))
                {
                    found.Add(mount);
                }
            }

            return [.. found];
        }
    }

    /// <summary>Attaches a copy of a tree; what lies at the place already lies on the copy then.</summary>
    [RequiresLock(nameof(s_lock))]
    private static Mount[] CopyTreeToLocked(Mount[] tree, CopyKind kind, VfsPath place, HashSet<Mount> spared)
    {
        MountNamespace target = place.Mount!.Namespace!;
        VfsPath covered = target._mounted.TryGetValue(place, out Mount? coverer) ? target.UnhookLocked(coverer) : default;
        Dictionary<Mount, Mount> copies = [];
        Mount[] made = new Mount[tree.Length];
        for (int i = 0; i < tree.Length; i++)
        {
            made[i] = CopyLocked(tree[i], tree[i].Root, kind);
            copies.Add(tree[i], made[i]);
            target.AttachLocked(made[i], i == 0 ? place : new VfsPath(copies[tree[i].MountPoint.Mount!], tree[i].MountPoint.Dentry));
            _ = spared.Add(made[i]);
        }

        if (coverer is not null)
        {
            target.HookLocked(coverer, made[0].RootPath);
            covered.Unreference();
        }

        return made;
    }

    /// <summary>A mount and all that lie on it, parents first.</summary>
    [RequiresLock(nameof(s_lock))]
    private Mount[] TreeLocked(Mount root)
    {
        List<Mount> tree = [root];
        for (int i = 0; i < tree.Count; i++)
        {
            foreach (Mount mount in _mounts)
            {
                if (mount.MountPoint.Mount == tree[i])
                {
                    tree.Add(mount);
                }
            }
        }

        return [.. tree];
    }

    /// <summary>The mounts that lie where a mount lies, on those that receive from the mount it lies on.</summary>
    [RequiresLock(nameof(s_lock))]
    private static List<Mount> CounterpartsLocked(Mount mount)
    {
        List<Mount> found = [];
        if (mount.MountPoint.Mount?.Peers is { } group)
        {
            AddCounterpartsLocked(group, mount, found, [group]);
        }

        return found;
    }

    [RequiresLock(nameof(s_lock))]
    private static void AddCounterpartsLocked(PeerGroup group, Mount mount, List<Mount> found, HashSet<PeerGroup> seen)
    {
        foreach (Mount peer in group.Members)
        {
            AddCounterpartLocked(peer, mount, found);
        }

        foreach (Mount slave in group.Slaves)
        {
            if (slave.Peers is not { } further)
            {
                AddCounterpartLocked(slave, mount, found);
            }
            else if (seen.Add(further))
            {
                AddCounterpartsLocked(further, mount, found, seen);
            }
        }
    }

    [RequiresLock(nameof(s_lock))]
    private static void AddCounterpartLocked(Mount receiver, Mount mount, List<Mount> found)
    {
        if (receiver.Namespace is { } there && there._mounted.TryGetValue(new VfsPath(receiver, mount.MountPoint.Dentry), out Mount? counterpart) && counterpart != mount)
        {
            found.Add(counterpart);
        }
    }

    /// <summary>Whether an unmount cannot spread because a counterpart is in use (propagate_mount_busy()).</summary>
    [RequiresLock(nameof(s_lock))]
    private static bool HasBusyCounterpartLocked(Mount mount) =>
        CounterpartsLocked(mount).Exists(static one => !one.Namespace!.HasChildrenLocked(one) && one.References > 1);

    /// <summary>Takes a tree away, and its counterparts on which nothing else lies.</summary>
    [RequiresLock(nameof(s_lock))]
    private void DetachEverywhereLocked(Mount root, List<VfsPath> released)
    {
        // Asked while they are still in their groups; from the leaves up, so that what held a counterpart is gone by its turn.
        Mount[] tree = TreeLocked(root);
        List<Mount> counterparts = [];
        for (int i = tree.Length - 1; i >= 0; i--)
        {
            counterparts.AddRange(CounterpartsLocked(tree[i]));
        }

        DetachTreeLocked(root, released);
        foreach (Mount counterpart in counterparts)
        {
            if (counterpart.Namespace is { } there && !there.HasChildrenLocked(counterpart))
            {
                there.DetachLocked(counterpart, released);
            }
        }
    }

    /// <summary>Whether a tree holds a mount that may lie in one place only.</summary>
    [RequiresLock(nameof(s_lock))]
    private bool HasUnbindableLocked(Mount root) => Array.Exists(TreeLocked(root), static mount => mount.IsUnbindable);

    /// <summary>Lets a mount that nobody will attach any more leave its groups.</summary>
    internal static void Forget(Mount mount)
    {
        lock (s_lock)
        {
            ChangePropagationLocked(mount, MountPropagation.Private);
        }
    }

    /// <summary>Why a mount may not be moved to a place (do_move_mount()): unmounts would have to spread, or copies of what must not be copied.</summary>
    [RequiresLock(nameof(s_lock))]
    private Errno CheckMoveLocked(Mount mount, VfsPath place) =>
        mount.MountPoint.Mount?.Peers is not null || (place.Mount!.Peers is not null && HasUnbindableLocked(mount)) ? Errno.EINVAL : Errno.None;
}
