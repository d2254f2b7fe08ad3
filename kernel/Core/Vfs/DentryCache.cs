// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>The unused dentries of one file system; keeps those whose names hold, and lets go of the rest.</summary>
public sealed class DentryCache
{
    /// <summary>Unused dentries kept by a file system.</summary>
    private const int Limit = 8192;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<Dentry> _unused = new();

    /// <summary>A dentry's last reference is gone.</summary>
    internal static void OnUnused(Dentry dentry)
    {
        if (dentry.IsUnlinked)
        {
            dentry.Die();
            return;
        }

        switch (dentry.FileSystem.DentryPolicy)
        {
            case DentryPolicy.Cached:
                dentry.FileSystem.UnusedDentries.Keep(dentry);
                break;
            case DentryPolicy.Revalidate:
                Evict(dentry);
                break;
        }
    }

    /// <summary>Finds a name in a directory, through the cache.</summary>
    /// <param name="context">Who.</param>
    /// <param name="parent">The directory; referenced by the caller.</param>
    /// <param name="name">A checked name.</param>
    /// <param name="child">The name with one more reference; null when it does not exist.</param>
    /// <returns>None (also for a missing name), or an error.</returns>
    [RequiresLock("parent.Lock")]
    internal static Errno LookupLocked(in OperationContext context, Dentry parent, string name, out Dentry? child)
    {
        DentryPolicy policy = parent.FileSystem.DentryPolicy;
        Dentry? found = parent.FindChildLocked(name);
        if (found is not null && policy == DentryPolicy.Revalidate && Volatile.Read(ref found.MountCount) == 0 && !parent.Inode!.Revalidate(context, name, found.Inode))
        {
            _ = parent.RemoveChildLocked(found);
            found.IsUnlinked = true;
            if (found.References == 0)
            {
                found.Die();
            }

            found = null;
        }

        if (found is not null)
        {
            child = null;
            if (found.Inode is not null)
            {
                found.Reference();
                child = found;
            }

            return Errno.None;
        }

        child = null;
        if (parent.IsUnlinked)
        {
            return Errno.ENOENT;
        }

        Errno error = parent.Inode!.Lookup(context, name, out Inode? inode);
        if (error == Errno.ENOENT && policy == DentryPolicy.Cached)
        {
            Dentry negative = new(parent.FileSystem, parent, name, null);
            parent.AddChildLocked(negative);
            parent.FileSystem.UnusedDentries.KeepWithoutEviction(negative);
        }

        if (error != Errno.None)
        {
            return error == Errno.ENOENT ? Errno.None : error;
        }

        child = InsertLocked(parent, name, inode!);
        return Errno.None;
    }

    /// <summary>Gives a name that was missing an inode. The dentry has one more reference.</summary>
    [RequiresLock("parent.Lock")]
    internal static Dentry InsertLocked(Dentry parent, string name, Inode inode)
    {
        Dentry? dentry = parent.FindChildLocked(name);
        if (dentry is null)
        {
            dentry = new Dentry(parent.FileSystem, parent, name, inode);
            parent.AddChildLocked(dentry);
        }
        else
        {
            dentry.SetInodeLocked(inode);
        }

        dentry.Reference();
        return dentry;
    }

    /// <summary>Takes a negative dentry of this name away, if there is one (a rename puts another there).</summary>
    [RequiresLock("parent.Lock")]
    internal static void DropNegativeLocked(Dentry parent, string name)
    {
        if (parent.FindChildLocked(name) is { Inode: null } negative)
        {
            _ = parent.RemoveChildLocked(negative);
            negative.IsUnlinked = true;
            if (negative.References == 0)
            {
                negative.Die();
            }
        }
    }

    /// <summary>Takes the negative dentries of a directory that is being removed away.</summary>
    [RequiresLock("directory.Lock")]
    internal static void DropNegativesLocked(Dentry directory)
    {
        Dentry[] children = [.. directory.ChildrenLocked()];
        foreach (Dentry child in children)
        {
            DropNegativeLocked(directory, child.Name);
        }
    }

    private static void Evict(Dentry dentry)
    {
        if (dentry.Parent is not { } parent)
        {
            return;
        }

        lock (parent.Lock)
        {
            if (dentry.References != 0 || dentry.Parent != parent || Volatile.Read(ref dentry.MountCount) != 0 || !parent.RemoveChildLocked(dentry))
            {
                return;
            }

            dentry.IsEvicted = true;
            dentry.IsUnlinked = true;
        }

        dentry.Die();
    }

    private void Keep(Dentry dentry)
    {
        KeepWithoutEviction(dentry);
        while (TakeSurplus() is { } surplus)
        {
            if (surplus.References == 0)
            {
                Evict(surplus);
            }
        }
    }

    private void KeepWithoutEviction(Dentry dentry)
    {
        lock (_lock)
        {
            if (!dentry.IsListed)
            {
                dentry.IsListed = true;
                _unused.Enqueue(dentry);
            }
        }
    }

    private Dentry? TakeSurplus()
    {
        lock (_lock)
        {
            if (_unused.Count <= Limit)
            {
                return null;
            }

            Dentry oldest = _unused.Dequeue();
            oldest.IsListed = false;
            return oldest;
        }
    }
}
