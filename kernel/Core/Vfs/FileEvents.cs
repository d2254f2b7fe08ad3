// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>What happens to files, as inotify(7) numbers it.</summary>
[Flags]
public enum FileEventMask : uint
{
    None = 0,
    Access = 1,
    Modify = 2,
    Attributes = 4,
    CloseWrite = 8,
    CloseNoWrite = 0x10,
    Open = 0x20,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Create = 0x100,
    Delete = 0x200,
    DeleteSelf = 0x400,
    MoveSelf = 0x800,
    Unmount = 0x2000,
    Overflow = 0x4000,
    Ignored = 0x8000,
    IsDirectory = 0x4000_0000,
}

/// <summary>Something that wants to know of an inode's events.</summary>
public interface IInodeWatch
{
    /// <summary>An event. Called without file locks held.</summary>
    /// <param name="events">What happened.</param>
    /// <param name="cookie">The same for both halves of a move; 0 otherwise.</param>
    /// <param name="name">The child's name, for events in a directory; null for the inode's own.</param>
    /// <param name="isUnlinked">Whether the child's name has been removed (IN_EXCL_UNLINK).</param>
    void OnEvent(FileEventMask events, uint cookie, string? name, bool isUnlinked);
}

/// <summary>The watches on one inode.</summary>
public sealed class InodeWatches
{
    private readonly Lock _lock = new();
    private IInodeWatch[] _watches = [];

    /// <summary>Adds a watch.</summary>
    public void Add(IInodeWatch watch)
    {
        lock (_lock)
        {
            Volatile.Write(ref _watches, [.. _watches, watch]);
        }
    }

    /// <summary>Takes a watch out.</summary>
    public void Remove(IInodeWatch watch)
    {
        lock (_lock)
        {
            List<IInodeWatch> rest = [.. _watches];
            _ = rest.Remove(watch);
            Volatile.Write(ref _watches, rest.ToArray());
        }
    }

    /// <summary>Tells all watches.</summary>
    internal void Tell(FileEventMask events, uint cookie, string? name, bool isUnlinked)
    {
        foreach (IInodeWatch watch in Volatile.Read(ref _watches))
        {
            watch.OnEvent(events, cookie, name, isUnlinked);
        }
    }
}

/// <summary>Tells watches what the VFS does (fsnotify). Costs a look at two fields while nobody watches anything.</summary>
public static class FileEvents
{
    private static int s_lastCookie;
    private static int s_watches;

    /// <summary>Watches an inode, which the watch keeps a reference to.</summary>
    public static void Watch(Inode inode, IInodeWatch watch)
    {
        _ = Interlocked.Increment(ref s_watches);
        inode.Reference();
        inode.MakeWatches().Add(watch);
        inode.FileSystem.AddWatch(watch);
    }

    /// <summary>Ends a watch. Called once for each <see cref="Watch"/>, without file locks held.</summary>
    public static void Unwatch(Inode inode, IInodeWatch watch)
    {
        inode.FileSystem.RemoveWatch(watch);
        inode.Watches!.Remove(watch);
        inode.Unreference();
        _ = Interlocked.Decrement(ref s_watches);
    }

    private static bool IsUsed => Volatile.Read(ref s_watches) != 0;

    /// <summary>A description was read from.</summary>
    public static void OnAccessed(FileDescription file) => TellFile(file, FileEventMask.Access);

    /// <summary>A description was written to, or its file truncated.</summary>
    public static void OnModified(FileDescription file) => TellFile(file, FileEventMask.Modify);

    /// <summary>A description was opened.</summary>
    public static void OnOpened(FileDescription file)
    {
        file.TellsEvents = true;
        TellFile(file, FileEventMask.Open);
    }

    /// <summary>A description's last reference is gone. Those that the kernel opened for itself were not told of either.</summary>
    public static void OnClosed(FileDescription file)
    {
        if (file.TellsEvents && (file.Flags & OpenFlags.Path) == 0)
        {
            TellFile(file, file.IsWritable ? FileEventMask.CloseWrite : FileEventMask.CloseNoWrite);
        }
    }

    /// <summary>A file's attributes or contents were changed by path.</summary>
    public static void OnChanged(VfsPath place, FileEventMask events) => Tell(place.Dentry, events);

    internal static void OnCreated(VfsPath directory, Dentry made) => TellDirectory(directory.Dentry, made, FileEventMask.Create, 0, made.Name, isUnlinked: false);

    internal static void OnLinked(VfsPath directory, Dentry made)
    {
        made.Inode?.Watches?.Tell(FileEventMask.Attributes, 0, null, isUnlinked: false);
        OnCreated(directory, made);
    }

    internal static void OnRemoved(VfsPath directory, Dentry child, string name)
    {
        if (!IsUsed)
        {
            return;
        }

        if (!child.IsDirectory)
        {
            child.Inode?.Watches?.Tell(FileEventMask.Attributes, 0, null, isUnlinked: true);
        }

        TellDeleted(child);
        TellDirectory(directory.Dentry, child, FileEventMask.Delete, 0, name, isUnlinked: false);
    }

    internal static void OnMoved(VfsPath oldDirectory, string oldName, VfsPath newDirectory, string newName, Dentry child, Dentry? replaced, bool exchanged)
    {
        if (!IsUsed)
        {
            return;
        }

        uint cookie = unchecked((uint)Interlocked.Increment(ref s_lastCookie));
        TellDirectory(oldDirectory.Dentry, child, FileEventMask.MovedFrom, cookie, oldName, isUnlinked: false);
        TellDirectory(newDirectory.Dentry, child, FileEventMask.MovedTo, cookie, newName, isUnlinked: false);
        child.Inode?.Watches?.Tell(FileEventMask.MoveSelf, 0, null, isUnlinked: false);
        if (replaced is null)
        {
            return;
        }

        if (exchanged)
        {
            cookie = unchecked((uint)Interlocked.Increment(ref s_lastCookie));
            TellDirectory(newDirectory.Dentry, replaced, FileEventMask.MovedFrom, cookie, newName, isUnlinked: false);
            TellDirectory(oldDirectory.Dentry, replaced, FileEventMask.MovedTo, cookie, oldName, isUnlinked: false);
            replaced.Inode?.Watches?.Tell(FileEventMask.MoveSelf, 0, null, isUnlinked: false);
        }
        else
        {
            replaced.Inode?.Watches?.Tell(FileEventMask.Attributes, 0, null, isUnlinked: true);
            TellDeleted(replaced);
        }
    }

    /// <summary>A removed name's last user is gone.</summary>
    internal static void OnUnused(Inode inode)
    {
        if (IsUsed)
        {
            TellDeleted(inode);
        }
    }

    // An open file is deleted when it is closed: OnUnused tells then. One reference is that of whoever removes the name.
    private static void TellDeleted(Dentry removed)
    {
        if (removed.References <= 1 && removed.Inode is { } inode)
        {
            TellDeleted(inode);
        }
    }

    private static void TellDeleted(Inode inode)
    {
        if (inode.Watches is { } watches && (inode.GetAttributes(out Attributes attributes) != Abi.Errno.None || attributes.LinkCount == 0))
        {
            watches.Tell(FileEventMask.DeleteSelf, 0, null, isUnlinked: true);
        }
    }

    private static void TellFile(FileDescription file, FileEventMask events)
    {
        if (IsUsed && file.TellsEvents)
        {
            Tell(file.Path.Dentry, events);
        }
    }

    private static void Tell(Dentry? dentry, FileEventMask events)
    {
        if (!IsUsed || dentry?.Inode is not { } inode)
        {
            return;
        }

        if (dentry.Parent is { } parent)
        {
            TellDirectory(parent, dentry, events, 0, dentry.Name, dentry.IsUnlinked);
        }

        inode.Watches?.Tell(dentry.IsDirectory ? events | FileEventMask.IsDirectory : events, 0, null, dentry.IsUnlinked);
    }

    private static void TellDirectory(Dentry? directory, Dentry child, FileEventMask events, uint cookie, string name, bool isUnlinked) =>
        directory?.Inode?.Watches?.Tell(child.IsDirectory ? events | FileEventMask.IsDirectory : events, cookie, name, isUnlinked);
}
