// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>Copies of a whole tree, and a new root for it.</summary>
public sealed partial class MountNamespace
{
    /// <summary>A copy of the tree (CLONE_NEWNS) with one user.</summary>
    /// <param name="fs">A context, whose root and working directory are moved to the copy.</param>
    /// <param name="owner">Who owns the copy.</param>
    public MountNamespace Clone(FsContext fs, UserNamespace owner)
    {
        Dictionary<Mount, Mount> copies = [];
        MountNamespace copy;
        lock (s_lock)
        {
            // Who made the copy as another user must not change what others see.
            CopyKind kind = owner == Owner ? CopyKind.Same : CopyKind.SlaveOfShared;
            Mount root = CopyLocked(Root, Root.Root, kind);
            copies.Add(Root, root);
            copy = new MountNamespace(root) { Owner = owner };
            CopyChildrenLocked(Root, root, copy, null, copies, kind);
        }

        fs.MoveToNamespace(copy, copies);
        return copy;
    }

    /// <summary>pivot_root(2): the mount at one place becomes the root, and the old root lies at another place.</summary>
    /// <param name="root">The caller's root directory.</param>
    /// <param name="newRoot">The root of a mount.</param>
    /// <param name="putOld">At or below the new root.</param>
    /// <returns>None; EBUSY, EINVAL or ENOTDIR as the manual says.</returns>
    public Errno PivotRoot(VfsPath root, VfsPath newRoot, VfsPath putOld)
    {
        if (!newRoot.Dentry!.IsDirectory || !putOld.Dentry!.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        VfsPath oldPlace;
        VfsPath newPlace;
        lock (s_lock)
        {
            newRoot = TopLocked(newRoot);
            Mount oldMount = root.Mount!;
            Mount newMount = newRoot.Mount!;
            if (oldMount.Namespace != this || newMount.Namespace != this || putOld.Mount!.Namespace != this)
            {
                return Errno.EINVAL;
            }

            if (newMount == oldMount || putOld.Mount == oldMount)
            {
                return Errno.EBUSY;
            }

            if (putOld.Mount!.Peers is not null || newMount.MountPoint.Mount?.Peers is not null || oldMount.MountPoint.Mount?.Peers is not null)
            {
                return Errno.EINVAL; // The moves would spread.
            }

            bool isMountRoot = root.Dentry == oldMount.Root && newRoot.Dentry == newMount.Root && newMount.MountPoint.IsValid;
            if (!isMountRoot || !IsReachableLocked(putOld, newRoot) || !IsReachableLocked(newRoot, root))
            {
                return Errno.EINVAL;
            }

            putOld = TopLocked(putOld);
            newPlace = UnhookLocked(newMount);
            oldPlace = UnhookLocked(oldMount);
            if (oldPlace.IsValid)
            {
                HookLocked(newMount, oldPlace);
            }
            else
            {
                Root = newMount;
            }

            HookLocked(oldMount, putOld);
        }

        oldPlace.Unreference();
        newPlace.Unreference();
        return Errno.None;
    }

    /// <summary>Copies what lies on a mount, at or below a dentry of it, to a copy of that mount.</summary>
    [RequiresLock(nameof(s_lock))]
    private void CopyChildrenLocked(Mount from, Mount to, MountNamespace target, Dentry? below, Dictionary<Mount, Mount>? copies, CopyKind kind)
    {
        foreach (Mount child in _mounts.ToArray())
        {
            if (child.MountPoint.Mount != from || child == to || (below is not null && !IsWithin(child.MountPoint.Dentry!, below)) ||
                (below is not null && child.IsUnbindable))
            {
                continue;
            }

            Mount copy = CopyLocked(child, child.Root, kind);
            copies?.Add(child, copy);
            VfsPath place = new(to, child.MountPoint.Dentry);
            if (target == this)
            {
                AttachLocked(copy, place);
            }
            else
            {
                target.AttachFirst(copy, place);
            }

            CopyChildrenLocked(child, copy, target, below is null ? null : child.Root, copies, kind);
        }
    }

    /// <summary>Attaches to a namespace that nobody else knows yet.</summary>
    private void AttachFirst(Mount mount, VfsPath place)
    {
        lock (s_lock)
        {
            AttachLocked(mount, place);
        }
    }

    private static bool IsWithin(Dentry dentry, Dentry ancestor)
    {
        for (Dentry? at = dentry; at is not null; at = at.Parent)
        {
            if (at == ancestor)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a place lies at or below another one.</summary>
    [RequiresLock(nameof(s_lock))]
    private static bool IsReachableLocked(VfsPath place, VfsPath ancestor)
    {
        while (place.Mount != ancestor.Mount)
        {
            if (!place.Mount!.MountPoint.IsValid)
            {
                return false;
            }

            place = place.Mount.MountPoint;
        }

        return IsWithin(place.Dentry!, ancestor.Dentry!);
    }
}
