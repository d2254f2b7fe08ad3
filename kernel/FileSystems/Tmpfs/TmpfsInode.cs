// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>What all files of a tmpfs have: attributes and extended attributes.</summary>
public abstract class TmpfsInode : Inode
{
    /// <summary>Guards attributes, extended attributes and a directory's entries.</summary>
    private protected readonly Lock AttributeLock = new();
    [GuardedBy(nameof(AttributeLock))]
    private protected Attributes Attributes;
    [GuardedBy(nameof(AttributeLock))]
    private SortedDictionary<string, byte[]>? _extended;
    private readonly ulong _number;

    private protected TmpfsInode(TmpfsFileSystem fileSystem, uint mode, in OperationContext context, TmpfsDirectory? parent)
        : base(fileSystem)
    {
        Tmpfs = fileSystem;
        long nowNs = KernelClock.RealtimeNs;
        uint gid = context.Credentials.FileGid;
        if (parent is not null && parent.TryGetInheritedGroup(out uint inherited))
        {
            gid = inherited;
            mode |= ModeBits.TypeOf(mode) == FileType.Directory ? ModeBits.SetGid : 0;
        }

        _number = fileSystem.NextInode();
        Attributes = new Attributes
        {
            Mode = mode,
            Uid = context.Credentials.FileUid,
            Gid = gid,
            LinkCount = 1,
            Inode = _number,
            Device = fileSystem.Device,
            BlockSize = 4096,
            AccessTimeNs = nowNs,
            ModifyTimeNs = nowNs,
            ChangeTimeNs = nowNs,
            BirthTimeNs = nowNs,
        };
    }

    /// <summary>The inode number.</summary>
    public ulong Number => _number;

    /// <summary>The file system.</summary>
    internal TmpfsFileSystem Tmpfs { get; }

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        lock (AttributeLock)
        {
            attributes = Attributes;
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        if ((change.Mask & AttributeMask.Size) != 0)
        {
            Errno error = SetSize(context, change.SizeBytes);
            if (error != Errno.None)
            {
                return error;
            }
        }

        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            Attributes.Apply(change, nowNs);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno GetExtendedAttribute(in OperationContext context, string name, out byte[] value)
    {
        value = [];
        lock (AttributeLock)
        {
            if (_extended is null || !_extended.TryGetValue(name, out byte[]? found))
            {
                return Errno.ENODATA;
            }

            value = found;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno SetExtendedAttribute(in OperationContext context, string name, ReadOnlySpan<byte> value, int flags)
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            bool exists = _extended is not null && _extended.ContainsKey(name);
            if ((flags & 1) != 0 && exists)
            {
                return Errno.EEXIST;
            }

            if ((flags & 2) != 0 && !exists)
            {
                return Errno.ENODATA;
            }

            (_extended ??= new SortedDictionary<string, byte[]>(StringComparer.Ordinal))[name] = value.ToArray();
            Attributes.ChangeTimeNs = nowNs;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno RemoveExtendedAttribute(in OperationContext context, string name)
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            if (_extended is null || !_extended.Remove(name))
            {
                return Errno.ENODATA;
            }

            Attributes.ChangeTimeNs = nowNs;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno ListExtendedAttributes(in OperationContext context, out string[] names)
    {
        lock (AttributeLock)
        {
            names = _extended is null ? [] : [.. _extended.Keys];
            return Errno.None;
        }
    }

    /// <summary>truncate(2); only regular files can.</summary>
    private protected virtual Errno SetSize(in OperationContext context, ulong sizeBytes) => Errno.EINVAL;

    /// <summary>The contents were read: the access time follows as with relatime.</summary>
    internal void TouchAccess(VfsPath path, OpenFlags flags)
    {
        if ((flags & OpenFlags.NoAccessTime) != 0 || (path.Mount is { } mount && (mount.Flags & MountFlags.NoAccessTime) != 0))
        {
            return;
        }

        lock (AttributeLock)
        {
            if (Attributes.AccessTimeNs <= Attributes.ModifyTimeNs || Attributes.AccessTimeNs <= Attributes.ChangeTimeNs)
            {
                Attributes.AccessTimeNs = KernelClock.RealtimeNs;
            }
        }
    }

    /// <summary>The contents were changed.</summary>
    internal void TouchModify()
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            Attributes.ModifyTimeNs = nowNs;
            Attributes.ChangeTimeNs = nowNs;
        }
    }

    /// <summary>The attributes were changed (a rename).</summary>
    internal void TouchChange()
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            Attributes.ChangeTimeNs = nowNs;
        }
    }

    /// <summary>One name more.</summary>
    internal Errno AddLink()
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            if (Attributes.LinkCount == 0 && !CanRelink)
            {
                return Errno.ENOENT;
            }

            if (Attributes.LinkCount == uint.MaxValue)
            {
                return Errno.EMLINK;
            }

            Attributes.LinkCount++;
            Attributes.ChangeTimeNs = nowNs;
            return Errno.None;
        }
    }

    /// <summary>One name less (a directory loses its own "." with it).</summary>
    internal void RemoveLink()
    {
        long nowNs = KernelClock.RealtimeNs;
        lock (AttributeLock)
        {
            Attributes.LinkCount -= Type == FileType.Directory ? Attributes.LinkCount : 1;
            Attributes.ChangeTimeNs = nowNs;
        }
    }

    /// <summary>Whether a file without names may be given one (O_TMPFILE without O_EXCL).</summary>
    internal bool CanRelink { get; set; }

    /// <summary>Sets the count of names of a file made without one.</summary>
    internal void ClearLinks()
    {
        lock (AttributeLock)
        {
            Attributes.LinkCount = 0;
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        Tmpfs.ReturnInode();
        base.OnRelease();
    }
}

/// <summary>A symbolic link.</summary>
internal sealed class TmpfsSymlink : TmpfsInode
{
    private readonly string _target;

    internal TmpfsSymlink(TmpfsFileSystem fileSystem, string target, in OperationContext context, TmpfsDirectory parent)
        : base(fileSystem, (uint)FileType.Symlink | 0x1ff, context, parent)
    {
        _target = target;
        Attributes.SizeBytes = (ulong)target.Length;
    }

    /// <inheritdoc/>
    public override FileType Type => FileType.Symlink;

    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target)
    {
        target = _target;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;
}

/// <summary>A FIFO, a device or a socket.</summary>
internal sealed class TmpfsSpecial : TmpfsInode
{
    internal TmpfsSpecial(TmpfsFileSystem fileSystem, uint mode, ulong device, in OperationContext context, TmpfsDirectory parent)
        : base(fileSystem, mode, context, parent)
    {
        Type = ModeBits.TypeOf(mode);
        Attributes.RawDevice = Type is FileType.CharacterDevice or FileType.BlockDevice ? device : 0;
    }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => SpecialFiles.Open(this, context, path, flags);
}
