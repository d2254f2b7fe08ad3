// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>How the dentry cache may treat a file system's names.</summary>
public enum DentryPolicy
{
    /// <summary>The tree of dentries is the file system (tmpfs, devpts): they stay until unlinked.</summary>
    Pinned,

    /// <summary>Names hold until changed through this kernel: cached, negative ones too, and evicted when there are too many (gofer exclusive, overlay).</summary>
    Cached,

    /// <summary>Names may change by themselves: each walk asks <see cref="Inode.Revalidate"/> (proc, gofer shared).</summary>
    Revalidate,
}

/// <summary>A mounted tree of inodes: what Linux calls a superblock.</summary>
public abstract class FileSystem
{
    private static int s_nextDevice;
    private Dentry? _rootDentry;
    private Mount? _internalMount;
    private int _mounts;
    private readonly Lock _watchLock = new();
    [GuardedBy(nameof(_watchLock))]
    private HashSet<IInodeWatch>? _watches;

    /// <summary>The type's name (proc/filesystems, mount(2)).</summary>
    public abstract string TypeName { get; }

    /// <summary>The root directory.</summary>
    public abstract Inode Root { get; }

    /// <summary>The root's dentry, one for all mounts; it stays as long as the file system.</summary>
    public Dentry RootDentry
    {
        get
        {
            if (Volatile.Read(ref _rootDentry) is { } existing)
            {
                return existing;
            }

            Dentry made = new(this, null, "", Root);
            made.Reference();
            return Interlocked.CompareExchange(ref _rootDentry, made, null) ?? made;
        }
    }

    /// <summary>A mount that lies nowhere, for files that no path leads to (memfds, pipes); made when first asked for.</summary>
    public Mount InternalMount
    {
        get
        {
            if (Volatile.Read(ref _internalMount) is { } existing)
            {
                return existing;
            }

            Mount made = new(this, MountFlags.None, "none");
            return Interlocked.CompareExchange(ref _internalMount, made, null) ?? made;
        }
    }

    /// <summary>Held while directories move, so that the tree holds still. Taken before any dentry's lock.</summary>
    public Lock RenameLock { get; } = new();

    /// <summary>Dentries in no one's use.</summary>
    internal DentryCache UnusedDentries { get; } = new();

    /// <summary>What the dentry cache may keep.</summary>
    public virtual DentryPolicy DentryPolicy => DentryPolicy.Pinned;

    /// <summary>The device number that stat(2) shows.</summary>
    public ulong Device { get; } = DeviceNumber.Make(0, unchecked((uint)Interlocked.Increment(ref s_nextDevice)));

    /// <summary>Whether the file system as a whole refuses writing, whatever its mounts say.</summary>
    public virtual bool IsReadOnly => false;

    /// <summary>Options of the file system itself, as /proc/mounts shows them (without ro/rw), or "".</summary>
    public virtual string Options => "";

    /// <summary>Figures for statfs(2).</summary>
    public abstract Errno GetStatistics(out FileSystemStatistics statistics);

    /// <summary>Writes what is dirty (syncfs).</summary>
    public virtual Errno Sync() => Errno.None;

    /// <summary>Called once the last mount is gone.</summary>
    public virtual void Release()
    {
    }

    internal void AddMount() => _ = Interlocked.Increment(ref _mounts);

    internal void RemoveMount()
    {
        if (Interlocked.Decrement(ref _mounts) == 0)
        {
            IInodeWatch[] watches;
            lock (_watchLock)
            {
                watches = _watches is null ? [] : [.. _watches];
            }

            foreach (IInodeWatch watch in watches)
            {
                watch.OnEvent(FileEventMask.Unmount, 0, null, isUnlinked: false);
            }

            Release();
        }
    }

    internal void AddWatch(IInodeWatch watch)
    {
        lock (_watchLock)
        {
            _ = (_watches ??= []).Add(watch);
        }
    }

    internal void RemoveWatch(IInodeWatch watch)
    {
        lock (_watchLock)
        {
            _ = _watches?.Remove(watch);
        }
    }
}
