// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>Trees of mounts that lie nowhere yet: what fsmount(2) and open_tree(2) make and move_mount(2) attaches.</summary>
public sealed partial class MountNamespace
{
    private int _isFloating;

    /// <summary>Makes a tree of its own of a mount, whose reference it takes over. It has one user, who ends it unless somebody takes it (<see cref="TryTake"/>).</summary>
    public static MountNamespace CreateFloating(Mount root) => new(root) { _isFloating = 1 };

    /// <summary>Whether it is a tree that lies nowhere.</summary>
    public bool IsFloating => Volatile.Read(ref _isFloating) != 0;

    /// <summary>Takes a tree that lies nowhere, to attach it or to end it; false when it has been taken.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _isFloating, 0) != 0;

    /// <summary>Gives a tree that was taken back to its user.</summary>
    public void PutBack() => Volatile.Write(ref _isFloating, 1);

    /// <summary>A copy of a place and, with <paramref name="isRecursive"/>, of what lies on it, as a tree that lies nowhere (OPEN_TREE_CLONE).</summary>
    public static MountNamespace CopyTree(VfsPath place, bool isRecursive)
    {
        Mount copy = Bind(place);
        MountNamespace tree = CreateFloating(copy);
        if (isRecursive && place.Mount!.Namespace is { } from)
        {
            lock (s_lock)
            {
                from.CopyChildrenLocked(place.Mount, copy, tree, place.Dentry, null, CopyKind.Same);
            }
        }

        return tree;
    }

    /// <summary>Attaches a tree that the caller took (move_mount(2)); on failure it stays the caller's.</summary>
    /// <returns>As <see cref="Attach"/>.</returns>
    public Errno AttachTree(MountNamespace tree, VfsPath place)
    {
        if (tree.Root.Root.IsDirectory != place.Dentry!.IsDirectory)
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

            if (place.Mount.Peers is not null && tree.HasUnbindableLocked(tree.Root))
            {
                return Errno.EINVAL;
            }

            foreach (Mount mount in tree._mounts)
            {
                mount.Namespace = this;
                _mounts.Add(mount);
                if (mount.MountPoint.IsValid)
                {
                    _mounted.Add(mount.MountPoint, mount);
                }
            }

            tree._mounts.Clear();
            tree._mounted.Clear();
            HookLocked(tree.Root, place);
            SpreadLocked(tree.Root);
            return Errno.None;
        }
    }

    /// <summary>Changes flags, and how mounts spread, of a mount and, with <paramref name="isRecursive"/>, of all that lie on it (mount_setattr(2)).</summary>
    /// <param name="mount">The mount.</param>
    /// <param name="cleared">Flags to take away first.</param>
    /// <param name="set">Flags to set then.</param>
    /// <param name="propagation">How mounts spread; null to leave that.</param>
    /// <param name="isRecursive">Whether those on it change, too.</param>
    public void ChangeFlags(Mount mount, MountFlags cleared, MountFlags set, MountPropagation? propagation, bool isRecursive)
    {
        lock (s_lock)
        {
            foreach (Mount each in isRecursive ? TreeLocked(mount) : [mount])
            {
                each.Flags = (each.Flags & ~cleared) | set;
                if (propagation is { } wanted)
                {
                    ChangePropagationLocked(each, wanted);
                }
            }

            _ = Interlocked.Increment(ref _version);
        }
    }
}

/// <summary>The O_PATH description of a tree of mounts that lies nowhere: the tree ends with it unless it is attached.</summary>
public sealed class FloatingMountDescription(MountNamespace tree) : FileDescription(tree.Root.RootPath, OpenFlags.Path)
{
    /// <summary>The tree.</summary>
    public MountNamespace Tree => tree;

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => mask & PollEvents.Nval;

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        if (tree.TryTake())
        {
            tree.RemoveUser();
        }
    }
}
