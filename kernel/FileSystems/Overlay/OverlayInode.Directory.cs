// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <content>Directories: the names that were changed, over those below.</content>
internal sealed partial class OverlayInode
{
    private const uint RenameNoReplace = 1, RenameExchange = 2;

    // What was changed. Names not in it are below's.
    [GuardedBy(nameof(_lock))]
    private Dictionary<string, Entry>? _names;

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        child = null;
        lock (_lock)
        {
            if (_names is not null && _names.TryGetValue(name, out Entry known))
            {
                child = known.Inode;
                return child is null ? Errno.ENOENT : Errno.None;
            }
        }

        if (_lower is null)
        {
            return Type == FileType.Directory ? Errno.ENOENT : Errno.ENOTDIR;
        }

        Errno error = _lower.Lookup(in context, name, out Inode? below);
        child = error == Errno.None ? _fs.FromBelow(below!) : null;
        return error;
    }

    /// <inheritdoc/>
    public override Errno Create(in OperationContext context, string name, uint mode, out Inode? child) =>
        Make(in context, name, FileType.Regular, mode, 0, "", out child);

    /// <inheritdoc/>
    public override Errno MakeDirectory(in OperationContext context, string name, uint mode, out Inode? child) =>
        Make(in context, name, FileType.Directory, mode, 0, "", out child);

    /// <inheritdoc/>
    public override Errno MakeNode(in OperationContext context, string name, uint mode, ulong device, out Inode? child) =>
        Make(in context, name, ModeBits.TypeOf(mode), mode & ModeBits.PermissionMask, device, "", out child);

    /// <inheritdoc/>
    public override Errno MakeSymlink(in OperationContext context, string name, string target, out Inode? child) =>
        Make(in context, name, FileType.Symlink, 0x1ff, 0, target, out child);

    /// <inheritdoc/>
    public override Errno CreateUnnamed(in OperationContext context, uint mode, out Inode? child)
    {
        Errno error = New(in context, FileType.Regular, mode, 0, "", out OverlayInode? made);
        child = made;
        return error;
    }

    /// <inheritdoc/>
    public override Errno Link(in OperationContext context, string name, Inode target)
    {
        if (target is not OverlayInode file || file._fs != _fs)
        {
            return Errno.EXDEV;
        }

        Errno error = Touch();
        if (error == Errno.None)
        {
            file.ChangeLinks(1);
            Put(name, file, replaces: false);
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno Unlink(in OperationContext context, string name, Inode child)
    {
        Errno error = Remove(name);
        if (error == Errno.None)
        {
            (child as OverlayInode)?.ChangeLinks(-1);
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno RemoveDirectory(in OperationContext context, string name, Inode child)
    {
        OverlayInode directory = (OverlayInode)child;
        Errno error = directory.CheckEmpty();
        if (error == Errno.None)
        {
            error = Remove(name);
        }

        if (error == Errno.None)
        {
            ChangeLinks(-1);
            directory.MarkGone();
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno Rename(in OperationContext context, string name, Inode child, Inode newParent, string newName, Inode? replaced, uint flags)
    {
        if (newParent is not OverlayInode destination || destination._fs != _fs || child is not OverlayInode moved)
        {
            return Errno.EXDEV;
        }

        if ((flags & ~(RenameExchange | RenameNoReplace)) != 0)
        {
            return Errno.EINVAL;
        }

        OverlayInode? other = replaced as OverlayInode;
        bool isExchange = (flags & RenameExchange) != 0;
        Errno error = !isExchange && other?.Type == FileType.Directory ? other.CheckEmpty() : Errno.None;
        error = error == Errno.None ? Touch() : error;
        error = error == Errno.None && destination != this ? destination.Touch() : error;
        if (error != Errno.None)
        {
            return error;
        }

        if (isExchange)
        {
            Put(name, other!, replaces: true);
            destination.Put(newName, moved, replaces: true);
            CountSubdirectories(moved, this, destination);
            CountSubdirectories(other!, destination, this);
            return Errno.None;
        }

        destination.Put(newName, moved, replaces: replaced is not null);
        Hide(name);
        CountSubdirectories(moved, this, destination);
        if (other?.Type == FileType.Directory)
        {
            destination.ChangeLinks(-1);
            other.MarkGone();
        }
        else
        {
            other?.ChangeLinks(-1);
        }

        return error;
    }

    /// <summary>Everything in the directory but "." and "..".</summary>
    internal Errno ReadEntries(in OperationContext context, List<ListedEntry> entries)
    {
        HashSet<string>? shadowed = null;
        lock (_lock)
        {
            if (_names is not null)
            {
                shadowed = new HashSet<string>(_names.Count, StringComparer.Ordinal);
                foreach ((string name, Entry entry) in _names)
                {
                    _ = shadowed.Add(name);
                    if (entry.Inode is { } inode)
                    {
                        entries.Add(new ListedEntry(name, inode._number, inode.Type));
                    }
                }
            }
        }

        if (_lower is null)
        {
            return Errno.None;
        }

        OpenResult opened = _lower.Open(OperationContext.Kernel, default, OpenFlags.ReadOnly | OpenFlags.Directory).Take();
        if (opened.Description is null)
        {
            return opened.Error;
        }

        EntryCollector collector = new(entries, shadowed);
        Errno error;
        int before;
        do
        {
            before = collector.Seen;
            error = opened.Description.ReadDirectory(in context, collector);
        }
        while (error == Errno.None && collector.Seen > before);

        opened.Description.Unreference();
        return error;
    }

    private Errno Make(in OperationContext context, string name, FileType type, uint mode, ulong device, string target, out Inode? child)
    {
        Errno error = New(in context, type, mode, device, target, out OverlayInode? made);
        child = made;
        if (error != Errno.None)
        {
            return error;
        }

        error = Touch();
        if (error != Errno.None)
        {
            made!.Destroy();
            child = null;
            return error;
        }

        if (type == FileType.Directory)
        {
            ChangeLinks(1);
        }
        else
        {
            made!.ChangeLinks(1);
        }

        Put(name, made!, replaces: false);
        return Errno.None;
    }

    private Errno New(in OperationContext context, FileType type, uint mode, ulong device, string target, out OverlayInode? made)
    {
        made = null;
        Errno error = Real.GetAttributes(out Attributes mine);
        if (error != Errno.None)
        {
            return error;
        }

        NewFileOwner owner = NewFileOwner.In(in mine, in context, mode, type == FileType.Directory);
        error = _fs.MakeAbove(type, owner, device, target, out string upperName, out Inode? upper);
        made = error == Errno.None ? new OverlayInode(_fs, upper!, upperName) : null;
        return error;
    }

    // A name of this directory is about to change: its times do too, and they can only be kept above.
    private Errno Touch()
    {
        Errno error = CopyUp();
        OperationContext kernel = OperationContext.Kernel;
        return error != Errno.None ? error : _upper!.SetAttributes(in kernel, new AttributeChange { Mask = AttributeMask.ModifyTimeNow });
    }

    private Errno Remove(string name)
    {
        Errno error = Touch();
        if (error == Errno.None)
        {
            Hide(name);
        }

        return error;
    }

    // Makes a name that led somewhere lead nowhere: it is forgotten, or hidden where there is one below.
    private void Hide(string name)
    {
        Entry old;
        lock (_lock)
        {
            _names ??= new Dictionary<string, Entry>(StringComparer.Ordinal);
            if (_names.TryGetValue(name, out old) && !old.CoversBelow)
            {
                _ = _names.Remove(name);
            }
            else
            {
                _names[name] = new Entry(null, CoversBelow: true); // without an entry, what it led to was below's
            }
        }

        old.Inode?.Unreference();
    }

    // Makes a name lead to an inode. Whether it led anywhere before tells whether there is a name below, unless an entry knows.
    private void Put(string name, OverlayInode inode, bool replaces)
    {
        inode.Reference();
        Entry old;
        lock (_lock)
        {
            _names ??= new Dictionary<string, Entry>(StringComparer.Ordinal);
            bool covers = _names.TryGetValue(name, out old) ? old.CoversBelow : replaces;
            _names[name] = new Entry(inode, covers);
        }

        old.Inode?.Unreference();
    }

    private Errno CheckEmpty()
    {
        List<ListedEntry> entries = [];
        OperationContext kernel = OperationContext.Kernel;
        Errno error = ReadEntries(in kernel, entries);
        return error != Errno.None ? error : entries.Count == 0 ? Errno.None : Errno.ENOTEMPTY;
    }

    private static void CountSubdirectories(OverlayInode moved, OverlayInode from, OverlayInode to)
    {
        if (moved.Type == FileType.Directory && from != to)
        {
            from.ChangeLinks(-1);
            to.ChangeLinks(1);
        }
    }

    private void DropNames()
    {
        Dictionary<string, Entry>? names;
        lock (_lock)
        {
            names = _names;
            _names = null;
        }

        if (names is not null)
        {
            foreach (Entry entry in names.Values)
            {
                entry.Inode?.Unreference();
            }
        }
    }

    // A name leads to an inode (referenced), or to nothing where one below is hidden.
    private readonly record struct Entry(OverlayInode? Inode, bool CoversBelow);

    private sealed class EntryCollector(List<ListedEntry> entries, HashSet<string>? shadowed) : IDirectorySink
    {
        public int Seen { get; private set; }

        public bool Add(string name, ulong inode, FileType type, long nextOffset)
        {
            Seen++;
            if (name is not ("." or "..") && (shadowed is null || !shadowed.Contains(name)))
            {
                entries.Add(new ListedEntry(name, inode, type));
            }

            return true;
        }
    }
}
