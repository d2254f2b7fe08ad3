// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>A directory of a tmpfs. Each entry holds a reference on its inode.</summary>
internal sealed class TmpfsDirectory : TmpfsInode
{
    /// <summary>What an entry adds to a directory's size, as Linux has it (BOGO_DIRENT_SIZE).</summary>
    private const ulong EntryBytes = 20;

    [GuardedBy(nameof(AttributeLock))]
    private readonly TmpfsEntries _entries = new();
    private ulong _parentNumber;

    internal TmpfsDirectory(TmpfsFileSystem fileSystem, uint mode, in OperationContext context, TmpfsDirectory? parent)
        : base(fileSystem, (uint)FileType.Directory | mode, context, parent)
    {
        Attributes.LinkCount = 2;
        Attributes.SizeBytes = 2 * EntryBytes;
        _parentNumber = parent?.Number ?? Number;
    }

    /// <inheritdoc/>
    public override FileType Type => FileType.Directory;

    /// <summary>The group of new entries when the set-group-ID bit is set.</summary>
    internal bool TryGetInheritedGroup(out uint gid)
    {
        lock (AttributeLock)
        {
            gid = Attributes.Gid;
            return (Attributes.Mode & ModeBits.SetGid) != 0;
        }
    }

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        lock (AttributeLock)
        {
            child = _entries.Find(name)?.Inode;
            return child is null ? Errno.ENOENT : Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno Create(in OperationContext context, string name, uint mode, out Inode? child)
    {
        Errno error = Tmpfs.TakeInode();
        child = error != Errno.None ? null : new TmpfsRegular(Tmpfs, (uint)FileType.Regular | mode, context, this);
        return error != Errno.None ? error : Add(name, (TmpfsInode)child!);
    }

    /// <inheritdoc/>
    public override Errno CreateUnnamed(in OperationContext context, uint mode, out Inode? child)
    {
        Errno error = Tmpfs.TakeInode();
        child = null;
        if (error == Errno.None)
        {
            TmpfsRegular made = new(Tmpfs, (uint)FileType.Regular | mode, context, this) { CanRelink = true };
            made.ClearLinks();
            child = made;
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno MakeDirectory(in OperationContext context, string name, uint mode, out Inode? child)
    {
        Errno error = Tmpfs.TakeInode();
        child = error != Errno.None ? null : new TmpfsDirectory(Tmpfs, mode, context, this);
        return error != Errno.None ? error : Add(name, (TmpfsInode)child!);
    }

    /// <inheritdoc/>
    public override Errno MakeNode(in OperationContext context, string name, uint mode, ulong device, out Inode? child)
    {
        Errno error = Tmpfs.TakeInode();
        child = error != Errno.None ? null : new TmpfsSpecial(Tmpfs, mode, device, context, this);
        return error != Errno.None ? error : Add(name, (TmpfsInode)child!);
    }

    /// <inheritdoc/>
    public override Errno MakeSymlink(in OperationContext context, string name, string target, out Inode? child)
    {
        Errno error = Tmpfs.TakeInode();
        child = error != Errno.None ? null : new TmpfsSymlink(Tmpfs, target, context, this);
        return error != Errno.None ? error : Add(name, (TmpfsInode)child!);
    }

    /// <inheritdoc/>
    public override Errno Link(in OperationContext context, string name, Inode target)
    {
        if (target is not TmpfsInode inode || inode.FileSystem != FileSystem)
        {
            return Errno.EXDEV;
        }

        Errno error = inode.AddLink();
        return error != Errno.None ? error : Add(name, inode);
    }

    /// <inheritdoc/>
    public override Errno Unlink(in OperationContext context, string name, Inode child)
    {
        Take(name);
        ((TmpfsInode)child).RemoveLink();
        child.Unreference();
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno RemoveDirectory(in OperationContext context, string name, Inode child)
    {
        if (!((TmpfsDirectory)child).IsEmpty)
        {
            return Errno.ENOTEMPTY;
        }

        Take(name);
        ((TmpfsInode)child).RemoveLink();
        child.Unreference();
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Rename(in OperationContext context, string name, Inode child, Inode newParent, string newName, Inode? replaced, uint flags)
    {
        TmpfsDirectory target = (TmpfsDirectory)newParent;
        TmpfsInode moved = (TmpfsInode)child;
        if (((RenameFlags)flags & RenameFlags.Exchange) != 0)
        {
            TmpfsInode other = (TmpfsInode)replaced!;
            Swap(name, other);
            target.Swap(newName, moved);
            AdjustSubdirectories(moved, target, this);
            AdjustSubdirectories(other, this, target);
            return Errno.None;
        }

        if (replaced is TmpfsDirectory { IsEmpty: false })
        {
            return Errno.ENOTEMPTY;
        }

        TmpfsSpecial? whiteout = null;
        if (((RenameFlags)flags & RenameFlags.Whiteout) != 0)
        {
            Errno error = Tmpfs.TakeInode();
            if (error != Errno.None)
            {
                return error;
            }

            whiteout = new TmpfsSpecial(Tmpfs, (uint)FileType.CharacterDevice, 0, context, this);
        }

        if (replaced is TmpfsInode victim)
        {
            target.Take(newName);
            victim.RemoveLink();
            victim.Unreference();
        }

        moved.Reference();
        Take(name);
        _ = target.Add(newName, moved);
        moved.Unreference();
        moved.TouchChange();
        if (moved is TmpfsDirectory directory)
        {
            System.Threading.Volatile.Write(ref directory._parentNumber, target.Number);
        }

        if (whiteout is not null)
        {
            _ = Add(name, whiteout);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)new TmpfsDirectoryDescription(this, path, flags);

    /// <summary>Whether no entry is left.</summary>
    internal bool IsEmpty
    {
        get
        {
            lock (AttributeLock)
            {
                return _entries.Count == 0;
            }
        }
    }

    /// <summary>Lists entries from a position on.</summary>
    internal void List(long position, IDirectorySink sink)
    {
        if (position <= 0)
        {
            if (!sink.Add(".", Number, FileType.Directory, 1))
            {
                return;
            }

            position = 1;
        }

        if (position == 1)
        {
            if (!sink.Add("..", System.Threading.Volatile.Read(ref _parentNumber), FileType.Directory, TmpfsEntries.FirstPosition))
            {
                return;
            }

            position = TmpfsEntries.FirstPosition;
        }

        lock (AttributeLock)
        {
            for (TmpfsEntries.Entry? entry = _entries.From(position); entry is not null; entry = _entries.From(entry.Position + 1))
            {
                if (!sink.Add(entry.Name, entry.Inode.Number, entry.Inode.Type, entry.Position + 1))
                {
                    return;
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        TmpfsEntries.Entry[] left;
        lock (AttributeLock)
        {
            left = _entries.RemoveAll();
        }

        foreach (TmpfsEntries.Entry entry in left)
        {
            entry.Inode.Unreference();
        }

        base.OnRelease();
    }

    private Errno Add(string name, TmpfsInode child)
    {
        child.Reference();
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            _entries.Add(name, child);
            Attributes.LinkCount += child.Type == FileType.Directory ? 1U : 0;
            Attributes.SizeBytes += EntryBytes;
            Attributes.ModifyTimeNs = nowNs;
            Attributes.ChangeTimeNs = nowNs;
        }

        return Errno.None;
    }

    /// <summary>Takes an entry out; its reference stays the caller's.</summary>
    private void Take(string name)
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            if (_entries.Remove(name) is { } entry)
            {
                Attributes.LinkCount -= entry.Inode.Type == FileType.Directory ? 1U : 0;
                Attributes.SizeBytes -= EntryBytes;
                Attributes.ModifyTimeNs = nowNs;
                Attributes.ChangeTimeNs = nowNs;
            }
        }
    }

    private void Swap(string name, TmpfsInode other)
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            _entries.Find(name)!.Inode = other;
            Attributes.ModifyTimeNs = nowNs;
            Attributes.ChangeTimeNs = nowNs;
        }
    }

    private static void AdjustSubdirectories(TmpfsInode moved, TmpfsDirectory to, TmpfsDirectory from)
    {
        moved.TouchChange();
        if (moved is not TmpfsDirectory directory || to == from)
        {
            return;
        }

        lock (from.AttributeLock)
        {
            from.Attributes.LinkCount--;
        }

        lock (to.AttributeLock)
        {
            to.Attributes.LinkCount++;
        }

        System.Threading.Volatile.Write(ref directory._parentNumber, to.Number);
    }
}

/// <summary>An open directory of a tmpfs.</summary>
internal sealed class TmpfsDirectoryDescription(TmpfsDirectory directory, VfsPath path, OpenFlags flags) : DirectoryDescription(path, flags)
{
    /// <inheritdoc/>
    protected override Errno ReadEntries(in OperationContext context, long offset, IDirectorySink sink)
    {
        if (Path.Dentry is { IsUnlinked: true })
        {
            return Errno.ENOENT;
        }

        directory.List(offset, sink);
        directory.TouchAccess(Path, Flags);
        return Errno.None;
    }
}
