// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>What /proc/self/mounts and mountinfo tell of a mount.</summary>
/// <param name="Mount">The mount.</param>
/// <param name="ParentId">The id of the mount it lies on; its own for a root.</param>
/// <param name="Root">The part of the file system it shows, as a path in it.</param>
/// <param name="MountPoint">Where it lies, seen from a root directory.</param>
public sealed record MountReport(Mount Mount, int ParentId, string Root, string MountPoint);

/// <summary>The tree of mounts that a set of tasks sees (mount_namespaces(7)).</summary>
/// <remarks>Lock order: the lock of all mount trees (one, since mounts spread from one namespace to another), then dentry locks. At most one mount lies on one place; a second one lies on the first's root.</remarks>
public sealed partial class MountNamespace
{
    private static readonly Lock s_lock = new();
    [GuardedBy(nameof(s_lock))]
    private readonly Dictionary<VfsPath, Mount> _mounted = [];
    [GuardedBy(nameof(s_lock))]
    private readonly List<Mount> _mounts = [];
    private int _version;
    private int _users = 1;

    /// <summary>Makes a namespace with a root mount, whose reference it takes over, and one user.</summary>
    public MountNamespace(Mount root)
    {
        Root = root;
        root.Namespace = this;
        _mounts.Add(root);
    }

    /// <summary>What /proc/PID/ns/mnt leads to.</summary>
    public Namespaces.MountNamespaceIdentity Identity => field ??= new Namespaces.MountNamespaceIdentity(this);

    /// <summary>Who owns it: CAP_SYS_ADMIN there is needed to mount.</summary>
    public UserNamespace Owner { get; init; } = UserNamespace.Initial;

    /// <summary>The root mount.</summary>
    public Mount Root { get; private set; }

    /// <summary>Counts changes; /proc/self/mounts tells pollers of them.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>One more context (tasks that share root and working directory) sees the namespace.</summary>
    public void AddUser() => _ = Interlocked.Increment(ref _users);

    /// <summary>One context less; with the last one every mount goes.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        List<VfsPath> released = [];
        lock (s_lock)
        {
            for (int i = _mounts.Count - 1; i >= 0; i--)
            {
                DetachLocked(_mounts[i], released);
            }
        }

        Release(released);
    }

    /// <summary>The mount that lies on a place, with one more reference.</summary>
    public bool TryGetMounted(VfsPath place, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Mount? mount)
    {
        lock (s_lock)
        {
            if (!_mounted.TryGetValue(place, out mount))
            {
                return false;
            }

            mount.Reference();
            return true;
        }
    }

    /// <summary>The place that a mount lies on, with references; false for a root.</summary>
    public bool TryGetMountPoint(Mount mount, out VfsPath place)
    {
        lock (s_lock)
        {
            place = mount.Namespace == this ? mount.MountPoint : default;
            place.Reference();
            return place.IsValid;
        }
    }

    /// <summary>Attaches a mount to a place (mount(2)), taking over the caller's reference on success.</summary>
    /// <param name="mount">A mount that is attached nowhere.</param>
    /// <param name="place">Where; what lies there already is covered.</param>
    /// <returns>None; ENOTDIR when one is a directory and the other not; ENOENT when the place is gone; EINVAL when it is not in this namespace.</returns>
    public Errno Attach(Mount mount, VfsPath place)
    {
        if (mount.Root.IsDirectory != place.Dentry!.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        lock (s_lock)
        {
            place = TopLocked(place);
            if (place.Mount!.Namespace != this)
            {
                return Errno.EINVAL;
            }

            if (place.Dentry!.IsUnlinked)
            {
                return Errno.ENOENT;
            }

            AttachLocked(mount, place);
            SpreadLocked(mount);
            return Errno.None;
        }
    }

    /// <summary>Takes a mount away (umount(2)).</summary>
    /// <param name="mount">The mount; the caller holds a reference besides the namespace's.</param>
    /// <param name="isLazy">MNT_DETACH: although it is in use, with all that lies on it.</param>
    /// <returns>None; EBUSY when in use; EINVAL when it is not attached here, or the root.</returns>
    public Errno Detach(Mount mount, bool isLazy)
    {
        List<VfsPath> released = [];
        lock (s_lock)
        {
            if (mount.Namespace != this || mount == Root)
            {
                return Errno.EINVAL;
            }

            if (!isLazy && (mount.References > 2 || HasChildrenLocked(mount) || HasBusyCounterpartLocked(mount)))
            {
                return Errno.EBUSY;
            }

            DetachEverywhereLocked(mount, released);
        }

        Release(released);
        return Errno.None;
    }

    /// <summary>Changes a mount's flags (MS_REMOUNT|MS_BIND).</summary>
    public void SetFlags(Mount mount, MountFlags flags)
    {
        mount.Flags = flags;
        _ = Interlocked.Increment(ref _version);
    }

    /// <summary>Sets how mounts spread at a mount, and with <paramref name="isRecursive"/> at all that lie on it.</summary>
    public void SetPropagation(Mount mount, MountPropagation propagation, bool isRecursive)
    {
        lock (s_lock)
        {
            foreach (Mount each in isRecursive ? TreeLocked(mount) : [mount])
            {
                ChangePropagationLocked(each, propagation);
            }
        }
    }

    /// <summary>Makes a mount that shows a place again (MS_BIND), with one reference, attached nowhere; with <paramref name="isRecursive"/>, <see cref="AttachCopies"/> is to follow.</summary>
    public static Mount Bind(VfsPath place)
    {
        lock (s_lock)
        {
            return CopyLocked(place.Mount!, place.Dentry!, CopyKind.Same);
        }
    }

    /// <summary>Attaches copies of what lies on a bound tree to the copy (MS_REC).</summary>
    /// <param name="place">What was bound.</param>
    /// <param name="copy">The attached copy.</param>
    public void AttachCopies(VfsPath place, Mount copy)
    {
        lock (s_lock)
        {
            CopyChildrenLocked(place.Mount!, copy, this, place.Dentry, null, CopyKind.Same);
        }
    }

    /// <summary>Moves a mount, with all that lies on it, to another place (MS_MOVE).</summary>
    /// <returns>None; EINVAL when it cannot be moved; ELOOP when the place lies in it; ENOTDIR.</returns>
    public Errno Move(Mount mount, VfsPath place)
    {
        VfsPath old;
        lock (s_lock)
        {
            place = TopLocked(place);
            if (mount.Namespace != this || mount == Root || place.Mount!.Namespace != this)
            {
                return Errno.EINVAL;
            }

            if (mount.Root.IsDirectory != place.Dentry!.IsDirectory)
            {
                return Errno.ENOTDIR;
            }

            if (place.Mount == mount || IsBelowLocked(place.Mount, mount))
            {
                return Errno.ELOOP;
            }

            Errno error = CheckMoveLocked(mount, place);
            if (error != Errno.None)
            {
                return error;
            }

            old = UnhookLocked(mount);
            HookLocked(mount, place);
            SpreadLocked(mount);
        }

        old.Unreference();
        return Errno.None;
    }

    /// <summary>Takes a reference to the root of the mount on top of a place: the place itself when nothing lies there.</summary>
    public VfsPath GetTop(VfsPath place)
    {
        lock (s_lock)
        {
            VfsPath top = TopLocked(place);
            top.Reference();
            return top;
        }
    }

    /// <summary>All mounts that a root directory can see, parents first.</summary>
    public List<MountReport> Report(VfsPath root)
    {
        List<MountReport> report = [];
        lock (s_lock)
        {
            foreach (Mount mount in _mounts)
            {
                string? at = PathText.OfMountRoot(mount, root);
                if (at is not null)
                {
                    report.Add(new MountReport(mount, mount.MountPoint.Mount?.Id ?? mount.Id, PathText.WithinFileSystem(mount.Root), at));
                }
            }
        }

        return report;
    }

    [RequiresLock(nameof(s_lock))]
    private VfsPath TopLocked(VfsPath place)
    {
        while (_mounted.TryGetValue(place, out Mount? mount))
        {
            place = mount.RootPath;
        }

        return place;
    }

    [RequiresLock(nameof(s_lock))]
    private void AttachLocked(Mount mount, VfsPath place)
    {
        mount.Namespace = this;
        _mounts.Add(mount);
        HookLocked(mount, place);
    }

    [RequiresLock(nameof(s_lock))]
    private void HookLocked(Mount mount, VfsPath place)
    {
        place.Reference();
        mount.MountPoint = place;
        _mounted.Add(place, mount);
        _ = Interlocked.Increment(ref place.Dentry!.MountCount);
        _ = Interlocked.Increment(ref _version);
    }

    /// <summary>Takes a mount from its place, whose references become the caller's.</summary>
    [RequiresLock(nameof(s_lock))]
    private VfsPath UnhookLocked(Mount mount)
    {
        VfsPath place = mount.MountPoint;
        if (place.IsValid)
        {
            _ = _mounted.Remove(place);
            mount.MountPoint = default;
            _ = Interlocked.Decrement(ref place.Dentry!.MountCount);
        }

        _ = Interlocked.Increment(ref _version);
        return place;
    }

    [RequiresLock(nameof(s_lock))]
    private void DetachTreeLocked(Mount mount, List<VfsPath> released)
    {
        for (int i = _mounts.Count - 1; i >= 0; i--)
        {
            // Children stand behind their parents unless moved: ask again after each round.
            if (i < _mounts.Count && IsBelowLocked(_mounts[i], mount))
            {
                DetachLocked(_mounts[i], released);
                i = _mounts.Count;
            }
        }

        DetachLocked(mount, released);
    }

    [RequiresLock(nameof(s_lock))]
    private void DetachLocked(Mount mount, List<VfsPath> released)
    {
        released.Add(UnhookLocked(mount));
        released.Add(new VfsPath(mount, null));
        _ = _mounts.Remove(mount);
        mount.Namespace = null;
        ChangePropagationLocked(mount, MountPropagation.Private);
    }

    [RequiresLock(nameof(s_lock))]
    private bool HasChildrenLocked(Mount mount)
    {
        foreach (Mount each in _mounts)
        {
            if (each.MountPoint.Mount == mount)
            {
                return true;
            }
        }

        return false;
    }

    [RequiresLock(nameof(s_lock))]
    private static bool IsBelowLocked(Mount mount, Mount ancestor)
    {
        for (Mount? at = mount.MountPoint.Mount; at is not null; at = at.MountPoint.Mount)
        {
            if (at == ancestor)
            {
                return true;
            }
        }

        return false;
    }

    private static void Release(List<VfsPath> released)
    {
        foreach (VfsPath place in released)
        {
            place.Unreference();
        }
    }
}
