// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>A name in a directory, and what it leads to; negative when it leads nowhere.</summary>
/// <remarks>
/// Lock order (see docs/architecture.md): a file system's rename lock, parent dentry's lock, child dentry's lock, inode locks of the file system, wait queues.
/// A dentry in use (a path, a mount, a child) is referenced; an unused one stays cached as its file system's <see cref="DentryPolicy"/> allows.
/// <see cref="Unreference"/> may take the parent's lock: it is called without dentry locks.
/// </remarks>
public sealed class Dentry
{
    private int _references;
    private int _isDead;
    private Inode? _inode;
    [GuardedBy(nameof(Lock))]
    private Dictionary<string, Dentry>? _children;

    /// <summary>Makes a dentry, which refers to its parent and its inode. The caller links it to its parent.</summary>
    public Dentry(FileSystem fileSystem, Dentry? parent, string name, Inode? inode)
    {
        FileSystem = fileSystem;
        Parent = parent;
        Name = name;
        _inode = inode;
        parent?.Reference();
        inode?.Reference();
    }

    /// <summary>Makes the dentry of a file that no path leads to (a memfd).</summary>
    /// <param name="fileSystem">The file system.</param>
    /// <param name="name">What /proc calls the file.</param>
    /// <param name="inode">The file.</param>
    public static Dentry CreateUnlinked(FileSystem fileSystem, string name, Inode inode) => new(fileSystem, null, name, inode) { IsUnlinked = true };

    /// <summary>Guards the children and changes of the directory.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The file system.</summary>
    public FileSystem FileSystem { get; }

    /// <summary>The directory that holds the name; null for a root. Changed by rename under the rename lock.</summary>
    public Dentry? Parent { get; internal set; }

    /// <summary>The name; "" for a root.</summary>
    public string Name { get; internal set; }

    /// <summary>What the name leads to, or null.</summary>
    public Inode? Inode => Volatile.Read(ref _inode);

    /// <summary>Whether the name has been removed (unlink, rename over it, rmdir, found stale) while still in use.</summary>
    public bool IsUnlinked { get; internal set; }

    /// <summary>Whether it was dropped from the cache rather than removed: the name may still lead to the file.</summary>
    public bool IsEvicted { get; internal set; }

    /// <summary>How many mounts lie on it, in any namespace; zero lets the walk skip the mount table.</summary>
    public int MountCount;

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => Inode?.Type == FileType.Directory;

    /// <summary>Whether it stands in its file system's list of unused dentries; for the cache.</summary>
    internal bool IsListed { get; set; }

    /// <summary>References now; for the cache.</summary>
    internal int References => Volatile.Read(ref _references);

    /// <summary>Counts one more user.</summary>
    public void Reference() => _ = Interlocked.Increment(ref _references);

    /// <summary>Counts one user less; the last one of an unlinked dentry lets go of the inode.</summary>
    public void Unreference()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            DentryCache.OnUnused(this);
        }
    }

    /// <summary>Counts one user less of a dentry that stays in its directory: whoever uses it next lets go of it.</summary>
    [RequiresLock("Parent.Lock")]
    internal void UnreferenceLocked() => _ = Interlocked.Decrement(ref _references);

    /// <summary>A negative dentry becomes a file's (created).</summary>
    [RequiresLock("Parent.Lock")]
    internal void SetInodeLocked(Inode inode)
    {
        inode.Reference();
        Volatile.Write(ref _inode, inode);
    }

    /// <summary>Lets go of the inode and the parent, once. Nobody refers to the dentry, and no directory lists it.</summary>
    internal void Die()
    {
        if (Interlocked.Exchange(ref _isDead, 1) == 0)
        {
            if (Interlocked.Exchange(ref _inode, null) is { } inode)
            {
                FileEvents.OnUnused(inode);
                inode.Unreference();
            }

            Parent?.Unreference();
        }
    }

    /// <summary>The cached child of this name, or null.</summary>
    [RequiresLock(nameof(Lock))]
    internal Dentry? FindChildLocked(string name) => _children is not null && _children.TryGetValue(name, out Dentry? child) ? child : null;

    [RequiresLock(nameof(Lock))]
    internal void AddChildLocked(Dentry child) => (_children ??= new Dictionary<string, Dentry>(StringComparer.Ordinal))[child.Name] = child;

    /// <summary>Takes a child out; false when it is not one (any more).</summary>
    [RequiresLock(nameof(Lock))]
    internal bool RemoveChildLocked(Dentry child) =>
        _children is not null && _children.TryGetValue(child.Name, out Dentry? found) && found == child && _children.Remove(child.Name);

    /// <summary>The cached children.</summary>
    [RequiresLock(nameof(Lock))]
    internal IReadOnlyCollection<Dentry> ChildrenLocked() => _children is null ? [] : _children.Values;
}

/// <summary>A place in the tree that a task sees: a mount and a dentry in it. The default is no place.</summary>
/// <param name="Mount">The mount.</param>
/// <param name="Dentry">The dentry.</param>
public readonly record struct VfsPath(Mount? Mount, Dentry? Dentry)
{
    /// <summary>Whether it is a place.</summary>
    public bool IsValid => Dentry is not null;

    /// <summary>The inode; the path must be valid and not negative.</summary>
    public Inode Inode => Dentry!.Inode!;

    /// <summary>Counts one more user of both.</summary>
    public void Reference()
    {
        Mount?.Reference();
        Dentry?.Reference();
    }

    /// <summary>Counts one user less of both.</summary>
    public void Unreference()
    {
        Dentry?.Unreference();
        Mount?.Unreference();
    }
}
