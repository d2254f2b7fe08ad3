// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>How rename replaces (renameat2(2)).</summary>
[Flags]
public enum RenameFlags : uint
{
    /// <summary>What the new name leads to is replaced.</summary>
    None = 0,

    /// <summary>RENAME_NOREPLACE: EEXIST instead.</summary>
    NoReplace = 1,

    /// <summary>RENAME_EXCHANGE: both stay, with names swapped.</summary>
    Exchange = 2,

    /// <summary>RENAME_WHITEOUT: a whiteout is left at the old name.</summary>
    Whiteout = 4,
}

/// <summary>Names that move (rename(2), do_renameat2()).</summary>
public static partial class VirtualFileSystem
{
    /// <summary>Moves a name.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="oldStart">Where a relative old path starts.</param>
    /// <param name="oldPath">The old path.</param>
    /// <param name="newStart">Where a relative new path starts.</param>
    /// <param name="newPath">The new path.</param>
    /// <param name="flags">How.</param>
    public static Errno Rename(in OperationContext context, VfsPath root, VfsPath oldStart, string oldPath, VfsPath newStart, string newPath, RenameFlags flags)
    {
        const RenameFlags Known = RenameFlags.NoReplace | RenameFlags.Exchange | RenameFlags.Whiteout;
        if ((flags & ~Known) != 0 || ((flags & RenameFlags.Exchange) != 0 && (flags & (RenameFlags.NoReplace | RenameFlags.Whiteout)) != 0))
        {
            return Errno.EINVAL;
        }

        Errno error = PathWalker.Begin(context, root, oldStart, oldPath, WalkFlags.None, out PathWalker from);
        if (error != Errno.None)
        {
            return error;
        }

        error = from.WalkToParent();
        if (error == Errno.None)
        {
            error = PathWalker.Begin(context, root, newStart, newPath, WalkFlags.None, out PathWalker to);
            if (error == Errno.None)
            {
                error = to.WalkToParent();
                error = error == Errno.None ? Rename(context, from, to, flags) : error;
                to.End();
            }
        }

        from.End();
        return error;
    }

    private static Errno Rename(in OperationContext context, in PathWalker from, in PathWalker to, RenameFlags flags)
    {
        VfsPath oldDirectory = from.Current;
        VfsPath newDirectory = to.Current;
        if (!oldDirectory.Dentry!.IsDirectory || !newDirectory.Dentry!.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        if (oldDirectory.Mount != newDirectory.Mount)
        {
            return Errno.EXDEV;
        }

        if (!from.IsName)
        {
            return Errno.EBUSY;
        }

        if (!to.IsName)
        {
            return (flags & RenameFlags.NoReplace) != 0 ? Errno.EEXIST : Errno.EBUSY;
        }

        if (oldDirectory.Mount!.IsReadOnly)
        {
            return Errno.EROFS;
        }

        Move move = new() { OldDirectory = oldDirectory, NewDirectory = newDirectory, OldName = from.Name, NewName = to.Name, OldHasSlash = from.HasTrailingSlash, NewHasSlash = to.HasTrailingSlash, Flags = flags };
        Errno error;
        if (oldDirectory.Dentry == newDirectory.Dentry)
        {
            lock (oldDirectory.Dentry.Lock)
            {
                error = MoveLocked(context, move, oldDirectory.Dentry, oldDirectory.Dentry);
            }
        }
        else
        {
            // The tree holds still under the rename lock, so "is an ancestor of" stays true; the ancestor's lock comes first.
            lock (oldDirectory.Dentry.FileSystem.RenameLock)
            {
                bool newIsAbove = IsAncestor(newDirectory.Dentry, oldDirectory.Dentry);
                Dentry first = newIsAbove ? newDirectory.Dentry : oldDirectory.Dentry;
                Dentry second = newIsAbove ? oldDirectory.Dentry : newDirectory.Dentry;
                lock (first.Lock)
                {
                    lock (second.Lock)
                    {
#pragma warning disable CV3002 // Both directories' locks are held, the ancestor's first.
                        error = MoveLocked(context, move, oldDirectory.Dentry, newDirectory.Dentry);
#pragma warning restore CV3002
                    }
                }
            }
        }

        if (error == Errno.None && move.HasMoved)
        {
            FileEvents.OnMoved(oldDirectory, move.OldName, newDirectory, move.NewName, move.Child!, move.Replaced, (flags & RenameFlags.Exchange) != 0);
        }

        move.LeftParent?.Unreference();
        move.LeftParentOfReplaced?.Unreference();
        move.Child?.Unreference();
        move.Replaced?.Unreference();
        return error;
    }

    [RequiresLock("oldParent.Lock")]
    [RequiresLock("newParent.Lock")]
    private static Errno MoveLocked(in OperationContext context, Move move, Dentry oldParent, Dentry newParent)
    {
        Errno error = DentryCache.LookupLocked(context, oldParent, move.OldName, out Dentry? child);
        move.Child = child;
        if (error != Errno.None || child is null)
        {
            return error != Errno.None ? error : Errno.ENOENT;
        }

        error = DentryCache.LookupLocked(context, newParent, move.NewName, out Dentry? replaced);
        move.Replaced = replaced;
        if (error == Errno.None)
        {
            error = CheckMove(context, move, child, replaced);
        }

        if (error != Errno.None || (replaced is not null && replaced.Inode == child.Inode))
        {
            return error; // Two names of one file: nothing happens.
        }

        bool exchanges = (move.Flags & RenameFlags.Exchange) != 0;
        if (replaced is { IsDirectory: true } && !exchanges && replaced != oldParent && replaced != newParent)
        {
            lock (replaced.Lock)
            {
                error = oldParent.Inode!.Rename(context, move.OldName, child.Inode!, newParent.Inode!, move.NewName, replaced.Inode, (uint)move.Flags);
                if (error == Errno.None)
                {
                    DentryCache.DropNegativesLocked(replaced);
                    replaced.IsUnlinked = true;
                }
            }
        }
        else
        {
            error = oldParent.Inode!.Rename(context, move.OldName, child.Inode!, newParent.Inode!, move.NewName, replaced?.Inode, (uint)move.Flags);
        }

        if (error == Errno.None)
        {
            MoveDentriesLocked(move, oldParent, newParent, child, replaced, exchanges);
        }

        return error;
    }

    [RequiresLock("oldParent.Lock")]
    [RequiresLock("newParent.Lock")]
    private static void MoveDentriesLocked(Move move, Dentry oldParent, Dentry newParent, Dentry child, Dentry? replaced, bool exchanges)
    {
        _ = oldParent.RemoveChildLocked(child);
        if (replaced is not null)
        {
            _ = newParent.RemoveChildLocked(replaced);
        }
        else
        {
            DentryCache.DropNegativeLocked(newParent, move.NewName);
        }

        PlaceLocked(child, newParent, move.NewName, out move.LeftParent);
        if (replaced is not null && exchanges)
        {
            PlaceLocked(replaced, oldParent, move.OldName, out move.LeftParentOfReplaced);
        }
        else if (replaced is not null)
        {
            replaced.IsUnlinked = true;
        }

        move.HasMoved = true;
    }

    [RequiresLock("parent.Lock")]
    private static void PlaceLocked(Dentry dentry, Dentry parent, string name, out Dentry? leftParent)
    {
        leftParent = null;
        if (dentry.Parent != parent)
        {
            leftParent = dentry.Parent;
            parent.Reference();
            dentry.Parent = parent;
        }

        dentry.Name = name;
        parent.AddChildLocked(dentry);
    }

    private static Errno CheckMove(in OperationContext context, Move move, Dentry child, Dentry? replaced)
    {
        bool exchanges = (move.Flags & RenameFlags.Exchange) != 0;
        if (replaced is not null && (move.Flags & RenameFlags.NoReplace) != 0)
        {
            return Errno.EEXIST;
        }

        if (exchanges && replaced is null)
        {
            return Errno.ENOENT;
        }

        bool oldMustBeDirectory = move.OldHasSlash || (move.NewHasSlash && !exchanges);
        if ((oldMustBeDirectory && !child.IsDirectory) || (exchanges && move.NewHasSlash && !replaced!.IsDirectory))
        {
            return Errno.ENOTDIR;
        }

        if (child == move.NewDirectory.Dentry || IsAncestor(child, move.NewDirectory.Dentry!))
        {
            return Errno.EINVAL;
        }

        if (replaced is not null && (replaced == move.OldDirectory.Dentry || IsAncestor(replaced, move.OldDirectory.Dentry!)))
        {
            return exchanges ? Errno.EINVAL : Errno.ENOTEMPTY;
        }

        if (replaced is not null && replaced.Inode == child.Inode)
        {
            return Errno.None;
        }

        Errno error = CheckMayRemove(context, move.OldDirectory, child, child.IsDirectory);
        if (error == Errno.None)
        {
            error = replaced is null ? CheckMayAdd(context, move.NewDirectory) : CheckMayRemove(context, move.NewDirectory, replaced, exchanges ? replaced.IsDirectory : child.IsDirectory);
        }

        // A directory that moves changes its "..".
        if (error == Errno.None && move.OldDirectory.Dentry != move.NewDirectory.Dentry)
        {
            error = child.IsDirectory ? child.Inode!.CheckAccess(context.Credentials, AccessMode.Write) : Errno.None;
            error = error == Errno.None && exchanges && replaced!.IsDirectory ? replaced.Inode!.CheckAccess(context.Credentials, AccessMode.Write) : error;
        }

        return error != Errno.None ? error
            : Volatile.Read(ref child.MountCount) != 0 || (replaced is not null && Volatile.Read(ref replaced.MountCount) != 0) ? Errno.EBUSY : Errno.None;
    }

    private static bool IsAncestor(Dentry ancestor, Dentry dentry)
    {
        for (Dentry? at = dentry.Parent; at is not null; at = at.Parent)
        {
            if (at == ancestor)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Move
    {
        internal VfsPath OldDirectory;
        internal VfsPath NewDirectory;
        internal required string OldName;
        internal required string NewName;
        internal bool OldHasSlash;
        internal bool NewHasSlash;
        internal RenameFlags Flags;
        internal Dentry? Child;
        internal Dentry? Replaced;
        internal Dentry? LeftParent;
        internal Dentry? LeftParentOfReplaced;
        internal bool HasMoved;
    }
}
