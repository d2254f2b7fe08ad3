// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Gofer;

/// <summary>A mount point that the host's tree lacks: an empty directory or file that exists in memory only, so that the host's directories are not touched.</summary>
internal sealed class GoferMountPoint : Inode
{
    private const uint DirectoryMode = 0x1ed, FileMode = 0x1a4;

    private readonly ulong _number;
    private readonly long _madeNs = KernelClock.RealtimeNs;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly SortedDictionary<string, GoferMountPoint> _children = new(StringComparer.Ordinal);

    /// <summary>Makes one; it stays as long as the directory that holds it.</summary>
    public GoferMountPoint(GoferFileSystem fileSystem, FileType type)
        : base(fileSystem)
    {
        Type = type;
        _number = fileSystem.NewMountPointNumber();
        Reference();
    }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <summary>How it appears in its directory's listing.</summary>
    internal ListedEntry Listed(string name) => new(name, _number, Type);

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        attributes = new Attributes
        {
            Mode = (uint)Type | (Type == FileType.Directory ? DirectoryMode : FileMode),
            LinkCount = Type == FileType.Directory ? 2u : 1u,
            Inode = _number,
            Device = FileSystem.Device,
            BlockSize = 4096,
            AccessTimeNs = _madeNs,
            ModifyTimeNs = _madeNs,
            ChangeTimeNs = _madeNs,
            BirthTimeNs = _madeNs,
        };
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        lock (_lock)
        {
            child = _children.GetValueOrDefault(name);
            return child is null ? Errno.ENOENT : Errno.None;
        }
    }

    /// <inheritdoc/>
    public override bool Revalidate(in OperationContext context, string name, Inode? child)
    {
        lock (_lock)
        {
            return _children.GetValueOrDefault(name) == child;
        }
    }

    /// <inheritdoc/>
    public override Errno MakeDirectory(in OperationContext context, string name, uint mode, out Inode? child) => Add(name, FileType.Directory, out child);

    /// <inheritdoc/>
    public override Errno MakeNode(in OperationContext context, string name, uint mode, ulong device, out Inode? child) =>
        Add(name, ModeBits.TypeOf(mode), out child);

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) =>
        Type == FileType.Directory ? (OpenResult)new Listing(this, path, flags) : (OpenResult)Errno.EACCES;

    private Errno Add(string name, FileType type, out Inode? child)
    {
        child = null;
        if (!((GoferFileSystem)FileSystem).MakesMountPoints || type is not (FileType.Directory or FileType.Regular))
        {
            return Errno.EPERM; // what is here is for mounts
        }

        GoferMountPoint made = new((GoferFileSystem)FileSystem, type);
        child = made;
        lock (_lock)
        {
            _children.Add(name, made);
        }

        return Errno.None;
    }

    private sealed class Listing(GoferMountPoint inode, VfsPath path, OpenFlags flags) : SnapshotDirectory(inode, path, flags)
    {
        protected override Errno List(in OperationContext context, out IReadOnlyList<ListedEntry> entries)
        {
            List<ListedEntry> listed = [];
            lock (inode._lock)
            {
                foreach ((string name, GoferMountPoint child) in inode._children)
                {
                    listed.Add(child.Listed(name));
                }
            }

            entries = listed;
            return Errno.None;
        }
    }
}
