// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>A name in a directory, and what it leads to; negative when it leads nowhere.</summary>
/// <remarks>
/// Lock order (see Vfs/README.md): rename lock, parent dentry's lock, child dentry's lock, inode locks of the file system, wait queues.
/// A dentry in use (a path, a mount, a child) is referenced; an unused one stays cached as its file system's <see cref="DentryPolicy"/> allows.
/// </remarks>
public sealed class Dentry
{
    private int _references;
    [GuardedBy(nameof(Lock))]
    private Dictionary<string, Dentry>? _children;

    /// <summary>Makes a dentry. The caller links it to its parent.</summary>
    public Dentry(FileSystem fileSystem, Dentry? parent, string name, Inode? inode)
    {
        FileSystem = fileSystem;
        Parent = parent;
        Name = name;
        Inode = inode;
        inode?.Reference();
    }

    /// <summary>Guards the children and changes of the directory.</summary>
    public Lock Lock { get; } = new();

    /// <summary>The file system.</summary>
    public FileSystem FileSystem { get; }

    /// <summary>The directory that holds the name; null for a root. Changed by rename under the rename lock.</summary>
    public Dentry? Parent { get; internal set; }

    /// <summary>The name; "" for a root.</summary>
    public string Name { get; internal set; }

    /// <summary>What the name leads to, or null.</summary>
    public Inode? Inode { get; internal set; }

    /// <summary>Whether the name has been removed (unlink, rename over it, rmdir) while still in use.</summary>
    public bool IsUnlinked { get; internal set; }

    /// <summary>How many mounts lie on it, in any namespace; zero lets the walk skip the mount table.</summary>
    public int MountCount;

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => Inode?.Type == FileType.Directory;

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

    /// <summary>The cached child of this name, or null.</summary>
    [RequiresLock(nameof(Lock))]
    internal Dentry? FindChildLocked(string name) => _children is not null && _children.TryGetValue(name, out Dentry? child) ? child : null;

    [RequiresLock(nameof(Lock))]
    internal void AddChildLocked(Dentry child) => (_children ??= new Dictionary<string, Dentry>(StringComparer.Ordinal))[child.Name] = child;

    [RequiresLock(nameof(Lock))]
    internal void RemoveChildLocked(Dentry child)
    {
        if (_children is not null && _children.TryGetValue(child.Name, out Dentry? found) && found == child)
        {
            _ = _children.Remove(child.Name);
        }
    }

    /// <summary>The cached children.</summary>
    [RequiresLock(nameof(Lock))]
    internal IEnumerable<Dentry> ChildrenLocked() => _children is null ? [] : _children.Values;
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
