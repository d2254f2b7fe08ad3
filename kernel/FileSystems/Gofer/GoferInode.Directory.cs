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

        if (_fs.IsExclusive && IsKnownToBeMissing(name))
        {
            return Errno.ENOENT;
        }

        uint fid = 0;
        Attr attr = default;
        HostErrno error = _fs.Connection.Walk(Fid, new ReadOnlySpan<string>(in name), new Span<uint>(ref fid), new Span<Attr>(ref attr), out int walked, out _);
        if (error != HostErrno.None || walked == 0)
        {
            return error == HostErrno.None ? Errno.ENOENT : error.ToGuest();
        }

        child = _fs.Adopt(fid, in attr);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override bool Revalidate(in OperationContext context, string name, Inode? child)
    {
        if (child is GoferMountPoint)
        {
            return true;
        }

        Attr attr = default;
        HostErrno error = _fs.Connection.WalkStat(Fid, new ReadOnlySpan<string>(in name), new Span<Attr>(ref attr), out int walked, out _);
        if (error != HostErrno.None)
        {
            return false;
        }

        if (child is not GoferInode known)
        {
            return walked == 0;
        }

        if (walked == 0 || known.Identity != new FileIdentity(attr.DevMajor, attr.DevMinor, attr.Ino) || known.Type != ModeBits.TypeOf(attr.Mode))
        {
            return false;
        }

        known.Learn(in attr);
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
        HostErrno made = _fs.Connection.CreateFile(Fid, name, ReadWrite, owner.Mode, owner.Uid, owner.Gid, out uint fid, out Attr attr, out GoferOpen open);
        if (made != HostErrno.None)
        {
            return made.ToGuest();
        }

        OnChanged();
        GoferInode inode = _fs.Adopt(fid, in attr);
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

        Errno error = _fs.Connection.Link(Fid, file.Fid, name).ToGuest();
        if (error == Errno.None)
        {
            OnChanged();
            file.Forget();
        }

        return error;
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

        Errno error = _fs.Connection.Rename(Fid, name, destination.Fid, newName, flags).ToGuest();
        if (error == Errno.None)
        {
            OnChanged();
            destination.OnChanged();
            (child as GoferInode)?.Forget();
            (replaced as GoferInode)?.Forget();
        }

        return error;
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
        const uint DirectoryFlag = 0x10000;
        HostErrno error = _fs.Connection.OpenFile(Fid, DirectoryFlag, out GoferOpen open);
        if (error != HostErrno.None)
        {
            return error.ToGuest();
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
        if (error != HostErrno.None)
        {
            return error.ToGuest();
        }

        List<ListedEntry> listed = new(all.Count);
        foreach (GoferEntry entry in all)
        {
            if (entry.Name is not ("." or ".."))
            {
                // The entry's file system is not told, so this directory's is assumed, as getdents(2) itself does at a mount point.
                listed.Add(new ListedEntry(entry.Name, _fs.GuestInode(Identity with { Ino = entry.Ino }), (FileType)((uint)entry.Type << 12)));
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

        HostErrno made = _fs.Connection.Make(Fid, name, owner.Mode, owner.Uid, owner.Gid, target, out uint fid, out Attr attr);
        if (made != HostErrno.None)
        {
            return made.ToGuest();
        }

        OnChanged();
        child = _fs.Adopt(fid, in attr);
        return Errno.None;
    }

    private Errno Remove(string name, Inode child, uint flags)
    {
        Errno error = _fs.Connection.Unlink(Fid, name, flags).ToGuest();
        if (error == Errno.None)
        {
            OnChanged();
            (child as GoferInode)?.Forget();
        }

        return error;
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
