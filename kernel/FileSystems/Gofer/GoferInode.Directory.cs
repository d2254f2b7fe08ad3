// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <content>Directories.</content>
internal sealed partial class GoferInode
{
    private const uint RemoveDirectoryFlag = 0x200;

    // Larger listings are read again each time rather than kept.
    private const int MaxCachedEntries = 4096;

    // A program that searches a path (libraries, modules) asks a directory for many names that it lacks: after so many, its listing is fetched and answers.
    private const int MissesBeforeListing = 4;

    [GuardedBy(nameof(_lock))]
    private ListedEntry[]? _entries;
    [GuardedBy(nameof(_lock))]
    private HashSet<string>? _listedNames;
    [GuardedBy(nameof(_lock))]
    private int _misses;
    [GuardedBy(nameof(_lock))]
    private Dictionary<string, GoferMountPoint>? _mountPoints;

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        child = null;
        if (Type != FileType.Directory)
        {
            return Errno.ENOTDIR;
        }

        lock (_lock)
        {
            if (_mountPoints is not null && _mountPoints.TryGetValue(name, out GoferMountPoint? mountPoint))
            {
                child = mountPoint;
                return Errno.None;
            }
        }

        int directory = PathFd();
        if (directory >= 0)
        {
            HostStatx stat = default;
            HostErrno direct = DirectCalls.Stat(directory, name, ref stat);
            if (direct == HostErrno.None)
            {
                child = _fs.Adopt(this, name, in stat);
                return Errno.None;
            }

            if (direct == HostErrno.ENOENT)
            {
                return Errno.ENOENT;
            }
        }
        else if (_fs.IsExclusive && IsKnownToBeMissing(name))
        {
            return Errno.ENOENT;
        }

        HostErrno error = GetFid(out uint from);
        if (error != HostErrno.None)
        {
            return error.ToGuest();
        }

        uint fid = 0;
        Attr attr = default;
        error = _fs.Connection.Walk(from, new ReadOnlySpan<string>(in name), new Span<uint>(ref fid), new Span<Attr>(ref attr), out int walked, out _);
        if (error != HostErrno.None || walked == 0)
        {
            return error == HostErrno.None ? Errno.ENOENT : error.ToGuest();
        }

        child = _fs.Adopt(this, name, fid, in attr);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override bool Revalidate(in OperationContext context, string name, Inode? child)
    {
        if (child is GoferMountPoint)
        {
            return true;
        }

        if (!TryStat(name, out bool exists, out FileIdentity identity, out Attributes attributes))
        {
            return false;
        }

        if (child is not GoferInode known)
        {
            return !exists;
        }

        if (!exists || known.Identity != identity || known.Type != ModeBits.TypeOf(attributes.Mode))
        {
            return false;
        }

        known.Learn(in attributes);
        known.MoveTo(this, name);
        return true;
    }

    /// <inheritdoc/>
    public override Errno Create(in OperationContext context, string name, uint mode, out Inode? child)
    {
        child = null;
        Errno error = OwnerOfNew(in context, isDirectory: false, mode, out NewFileOwner owner);
        if (error != Errno.None)
        {
            return error;
        }

        const uint ReadWrite = 2;
        uint fid = 0;
        Attr attr = default;
        GoferOpen open = default;
        HostErrno made = GetFid(out uint directory);
        if (made == HostErrno.None)
        {
            made = _fs.Connection.CreateFile(directory, name, ReadWrite, owner.Mode, owner.Uid, owner.Gid, out fid, out attr, out open);
        }

        if (made != HostErrno.None)
        {
            return made.ToGuest();
        }

        OnChanged();
        GoferInode inode = _fs.Adopt(this, name, fid, in attr);
        inode.GiveWriter(new GoferHandle(_fs.Connection, open, isWritable: true));
        child = inode;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno MakeDirectory(in OperationContext context, string name, uint mode, out Inode? child) =>
        Make(in context, name, (uint)FileType.Directory | (mode & ModeBits.PermissionMask), "", out child);

    /// <inheritdoc/>
    public override Errno MakeNode(in OperationContext context, string name, uint mode, ulong device, out Inode? child) =>
        Make(in context, name, mode, "", out child);

    /// <inheritdoc/>
    public override Errno MakeSymlink(in OperationContext context, string name, string target, out Inode? child) =>
        Make(in context, name, (uint)FileType.Symlink | 0x1ff, target, out child);

    /// <inheritdoc/>
    public override Errno Link(in OperationContext context, string name, Inode target)
    {
        if (target is not GoferInode file || file._fs != _fs)
        {
            return Errno.EXDEV;
        }

        HostErrno error = GetFid(out uint directory);
        uint linked = 0;
        if (error == HostErrno.None)
        {
            error = file.GetFid(out linked);
        }

        if (error == HostErrno.None)
        {
            error = _fs.Connection.Link(directory, linked, name);
        }

        if (error == HostErrno.None)
        {
            OnChanged();
            file.Forget();
        }

        return error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno Unlink(in OperationContext context, string name, Inode child) => Remove(name, child, 0);

    /// <inheritdoc/>
    public override Errno RemoveDirectory(in OperationContext context, string name, Inode child) => Remove(name, child, RemoveDirectoryFlag);

    /// <inheritdoc/>
    public override Errno Rename(in OperationContext context, string name, Inode child, Inode newParent, string newName, Inode? replaced, uint flags)
    {
        if (newParent is not GoferInode destination || destination._fs != _fs)
        {
            return Errno.EXDEV;
        }

        GoferInode? moved = child as GoferInode;
        GoferInode? other = replaced as GoferInode;
        other?.KeepFid();
        HostErrno error = GetFid(out uint from);
        uint to = 0;
        if (error == HostErrno.None)
        {
            error = destination.GetFid(out to);
        }

        if (error == HostErrno.None)
        {
            error = _fs.Connection.Rename(from, name, to, newName, flags);
        }

        if (error == HostErrno.None)
        {
            const uint RenameExchange = 2;
            OnChanged();
            destination.OnChanged();
            moved?.Forget();
            moved?.MoveTo(destination, newName);
            other?.Forget();
            if ((flags & RenameExchange) != 0)
            {
                other?.MoveTo(this, name);
            }
            else
            {
                other?.LeaveHome(destination, newName);
            }
        }

        return error.ToGuest();
    }

    /// <summary>The entries but "." and "..".</summary>
    internal Errno ReadEntries(out ListedEntry[] entries)
    {
        lock (_lock)
        {
            if (_entries is not null)
            {
                entries = _entries;
                return Errno.None;
            }
        }

        entries = [];
        List<ListedEntry> listed = [];
        if (!TryListDirectly(listed))
        {
            listed.Clear();
            HostErrno error = ListByGofer(listed);
            if (error != HostErrno.None)
            {
                return error.ToGuest();
            }
        }

        lock (_lock)
        {
            if (_mountPoints is not null)
            {
                foreach ((string name, GoferMountPoint mountPoint) in _mountPoints)
                {
                    listed.Add(mountPoint.Listed(name));
                }
            }
        }

        entries = [.. listed];
        if (_fs.IsExclusive && entries.Length <= MaxCachedEntries)
        {
            lock (_lock)
            {
                _entries = entries;
            }
        }

        return Errno.None;
    }

    private bool TryListDirectly(List<ListedEntry> listed)
    {
        int directory = PathFd();
        HostResult open = directory >= 0 ? DirectCalls.OpenListing(directory) : new HostResult(-(long)HostErrno.EACCES);
        if (open.IsError)
        {
            return false;
        }

        HostErrno error = DirectCalls.List(open.Int, (name, ino, type) => listed.Add(ToListed(name, ino, type)));
        _ = HostCalls.Close(open.Int);
        return error == HostErrno.None;
    }

    private HostErrno ListByGofer(List<ListedEntry> listed)
    {
        const uint DirectoryFlag = 0x10000;
        GoferOpen open = default;
        HostErrno error = GetFid(out uint fid);
        if (error == HostErrno.None)
        {
            error = _fs.Connection.OpenFile(fid, DirectoryFlag, out open);
        }

        if (error != HostErrno.None)
        {
            return error;
        }

        List<GoferEntry> all = [];
        ulong offset = 0;
        while (true)
        {
            int before = all.Count;
            error = _fs.Connection.ReadDirectory(open.Fid, offset, all);
            if (error != HostErrno.None || all.Count == before)
            {
                break;
            }

            offset = all[^1].Next;
        }

        _fs.Connection.Drop(open.Fid);
        foreach (GoferEntry entry in all)
        {
            if (entry.Name is not ("." or ".."))
            {
                listed.Add(ToListed(entry.Name, entry.Ino, entry.Type));
            }
        }

        return error;
    }

    // The entry's file system is not told, so this directory's is assumed, as getdents(2) itself does at a mount point.
    private ListedEntry ToListed(string name, ulong ino, byte type) => new(name, _fs.GuestInode(Identity with { Ino = ino }), (FileType)((uint)type << 12));

    // What a name leads to now; false when that cannot be told.
    private bool TryStat(string name, out bool exists, out FileIdentity identity, out Attributes attributes)
    {
        attributes = default;
        identity = default;
        exists = false;
        int directory = PathFd();
        if (directory >= 0)
        {
            HostStatx stat = default;
            HostErrno direct = DirectCalls.Stat(directory, name, ref stat);
            if (direct is HostErrno.None or HostErrno.ENOENT)
            {
                exists = direct == HostErrno.None;
                identity = IdentityOf(in stat);
                attributes = exists ? Convert(_fs, identity, in stat) : default;
                return true;
            }
        }

        if (GetFid(out uint fid) != HostErrno.None)
        {
            return false;
        }

        Attr attr = default;
        HostErrno error = _fs.Connection.WalkStat(fid, new ReadOnlySpan<string>(in name), new Span<Attr>(ref attr), out int walked, out _);
        exists = error == HostErrno.None && walked > 0;
        identity = IdentityOf(in attr);
        attributes = exists ? Convert(_fs, identity, in attr) : default;
        return error == HostErrno.None;
    }

    // Only in exclusive mode, where nobody else adds names.
    private bool IsKnownToBeMissing(string name)
    {
        lock (_lock)
        {
            if (_listedNames is not null)
            {
                return !_listedNames.Contains(name);
            }

            if (++_misses != MissesBeforeListing)
            {
                return false;
            }
        }

        if (ReadEntries(out ListedEntry[] entries) != Errno.None || entries.Length > MaxCachedEntries)
        {
            return false;
        }

        HashSet<string> names = new(entries.Length, StringComparer.Ordinal);
        foreach (ListedEntry entry in entries)
        {
            _ = names.Add(entry.Name);
        }

        lock (_lock)
        {
            if (_entries == entries)
            {
                _listedNames = names; // else a name came or went meanwhile
            }
        }

        return !names.Contains(name);
    }

    private Errno Make(in OperationContext context, string name, uint mode, string target, out Inode? child)
    {
        child = null;
        if (_fs.MakesMountPoints)
        {
            GoferMountPoint mountPoint = new(_fs, ModeBits.TypeOf(mode));
            Reference(); // it holds what the host does not know of
            child = mountPoint;
            lock (_lock)
            {
                (_mountPoints ??= new Dictionary<string, GoferMountPoint>(StringComparer.Ordinal)).Add(name, mountPoint);
            }

            return Errno.None;
        }

        Errno error = OwnerOfNew(in context, ModeBits.TypeOf(mode) == FileType.Directory, mode, out NewFileOwner owner);
        if (error != Errno.None)
        {
            return error;
        }

        uint fid = 0;
        Attr attr = default;
        HostErrno made = GetFid(out uint directory);
        if (made == HostErrno.None)
        {
            made = _fs.Connection.Make(directory, name, owner.Mode, owner.Uid, owner.Gid, target, out fid, out attr);
        }

        if (made != HostErrno.None)
        {
            return made.ToGuest();
        }

        OnChanged();
        child = _fs.Adopt(this, name, fid, in attr);
        return Errno.None;
    }

    private Errno Remove(string name, Inode child, uint flags)
    {
        GoferInode? removed = child as GoferInode;
        removed?.KeepFid();
        HostErrno error = GetFid(out uint directory);
        if (error == HostErrno.None)
        {
            error = _fs.Connection.Unlink(directory, name, flags);
        }

        if (error == HostErrno.None)
        {
            OnChanged();
            removed?.Forget();
            removed?.LeaveHome(this, name);
        }

        return error.ToGuest();
    }

    private Errno OwnerOfNew(in OperationContext context, bool isDirectory, uint mode, out NewFileOwner owner)
    {
        Errno error = GetAttributes(out Attributes mine);
        owner = NewFileOwner.In(in mine, in context, mode, isDirectory);
        return error;
    }

    // A name in this directory came or went.
    private void OnChanged()
    {
        lock (_lock)
        {
            _isFresh = false;
            _entries = null;
            _listedNames = null;
            _misses = 0;
        }
    }
}
