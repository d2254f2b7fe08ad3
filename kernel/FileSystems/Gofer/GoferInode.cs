// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <summary>A file of the host.</summary>
internal sealed partial class GoferInode : TableInode
{
    private readonly GoferFileSystem _fs;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private Attributes _attributes;
    [GuardedBy(nameof(_lock))]
    private bool _isFresh;
    [GuardedBy(nameof(_lock))]
    private string? _linkTarget;

    /// <summary>Makes the inode of a fid.</summary>
    internal GoferInode(GoferFileSystem fileSystem, uint fid, FileIdentity identity, in Attr attr)
        : base(fileSystem)
    {
        _fs = fileSystem;
        Fid = fid;
        Identity = identity;
        Type = ModeBits.TypeOf(attr.Mode);
        _attributes = Convert(in attr);
        _isFresh = true;
    }

    /// <summary>The fid.</summary>
    internal uint Fid { get; }

    /// <summary>Which file it is.</summary>
    internal FileIdentity Identity { get; }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        lock (_lock)
        {
            if (!_isFresh || !_fs.IsExclusive)
            {
                Errno error = RefreshLocked();
                if (error != Errno.None)
                {
                    attributes = default;
                    return error;
                }
            }

            attributes = _attributes;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        bool truncates = (change.Mask & AttributeMask.Size) != 0;
        ulong sizeBefore = 0;
        HostErrno error;
        lock (_lock)
        {
            sizeBefore = _attributes.SizeBytes;
            GoferHandle? writer = _writer;
            if (change.Mask == AttributeMask.Size && writer is { HostFd: >= 0 } && change.SizeBytes <= long.MaxValue)
            {
                // ftruncate(2) of a file that is open anyway: no round trip.
                error = HostCalls.Ftruncate(writer.HostFd, (long)change.SizeBytes).Error;
                if (error == HostErrno.None)
                {
                    _attributes.SizeBytes = change.SizeBytes;
                    _isFresh = false;
                }
            }
            else
            {
                error = _fs.Connection.SetAttr(Fid, Convert(in change), out Attr attr);
                if (error == HostErrno.None)
                {
                    _attributes = Convert(in attr);
                    _isFresh = true;
                }
            }
        }

        if (error == HostErrno.None && truncates && change.SizeBytes < sizeBefore)
        {
            InvalidateMappings(change.SizeBytes);
        }

        return error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target)
    {
        lock (_lock)
        {
            if (_linkTarget is not null)
            {
                target = _linkTarget; // a link's text never changes
                return Errno.None;
            }
        }

        Errno error = _fs.Connection.ReadLink(Fid, out target).ToGuest();
        if (error == Errno.None)
        {
            lock (_lock)
            {
                _linkTarget = target;
            }
        }

        return error;
    }

    /// <summary>Takes over attributes that came along with something else.</summary>
    internal void Learn(in Attr attr)
    {
        lock (_lock)
        {
            _attributes = Convert(in attr);
            _isFresh = true;
        }
    }

    /// <summary>Something changed the file: its attributes are asked for again when they are needed.</summary>
    internal void Forget()
    {
        lock (_lock)
        {
            _isFresh = false;
        }
    }

    /// <inheritdoc/>
    internal override void Unpin() => _fs.Unpin(this);

    /// <inheritdoc/>
    protected override void OnRelease() => _fs.OnUnreferenced(this);

    /// <inheritdoc/>
    protected internal override void Destroy()
    {
        CloseHandles();
        _fs.Connection.Drop(Fid);
    }

    [RequiresLock(nameof(_lock))]
    private Errno RefreshLocked()
    {
        GoferHandle? handle = _writer ?? _reader;
        if (handle is { HostFd: >= 0 })
        {
            HostStat stat = default;
            HostErrno error = HostCalls.Fstat(handle.HostFd, ref stat).Error;
            if (error == HostErrno.None)
            {
                Take(in stat);
                _isFresh = true;
            }

            return error.ToGuest();
        }

        HostErrno asked = _fs.Connection.GetAttr(Fid, out Attr attr);
        if (asked == HostErrno.None)
        {
            _attributes = Convert(in attr);
            _isFresh = true;
        }

        return asked.ToGuest();
    }

    [RequiresLock(nameof(_lock))]
    private void Take(in HostStat stat)
    {
        _attributes.Mode = stat.Mode;
        _attributes.Uid = stat.Uid;
        _attributes.Gid = stat.Gid;
        _attributes.LinkCount = (uint)Math.Min(stat.Nlink, uint.MaxValue);
        _attributes.SizeBytes = (ulong)Math.Max(stat.Size, 0);
        _attributes.Blocks = (ulong)Math.Max(stat.Blocks, 0);
        _attributes.AccessTimeNs = ToNs(stat.Atime.Seconds, stat.Atime.Nanoseconds);
        _attributes.ModifyTimeNs = ToNs(stat.Mtime.Seconds, stat.Mtime.Nanoseconds);
        _attributes.ChangeTimeNs = ToNs(stat.Ctime.Seconds, stat.Ctime.Nanoseconds);
    }

    private Attributes Convert(in Attr attr) => new()
    {
        Mode = attr.Mode,
        Uid = attr.Uid,
        Gid = attr.Gid,
        LinkCount = attr.Nlink,
        Inode = _fs.GuestInode(Identity),
        Device = _fs.Device,
        RawDevice = DeviceNumber.Make(attr.RdevMajor, attr.RdevMinor),
        SizeBytes = attr.Size,
        Blocks = attr.Blocks,
        BlockSize = attr.BlockSize,
        AccessTimeNs = ToNs(attr.AtimeS, attr.AtimeNs),
        ModifyTimeNs = ToNs(attr.MtimeS, attr.MtimeNs),
        ChangeTimeNs = ToNs(attr.CtimeS, attr.CtimeNs),
        BirthTimeNs = ToNs(attr.BtimeS, attr.BtimeNs),
    };

    private static GoferChange Convert(in AttributeChange change)
    {
        AttributeMask mask = change.Mask;
        return new GoferChange
        {
            Mode = (mask & AttributeMask.Mode) != 0 ? change.Mode & ModeBits.PermissionMask : null,
            Uid = (mask & AttributeMask.Uid) != 0 ? change.Uid : null,
            Gid = (mask & AttributeMask.Gid) != 0 ? change.Gid : null,
            Size = (mask & AttributeMask.Size) != 0 ? change.SizeBytes : null,
            AtimeNs = (mask & AttributeMask.AccessTimeNow) != 0 ? GoferChange.Now : (mask & AttributeMask.AccessTime) != 0 ? change.AccessTimeNs : null,
            MtimeNs = (mask & AttributeMask.ModifyTimeNow) != 0 ? GoferChange.Now : (mask & AttributeMask.ModifyTime) != 0 ? change.ModifyTimeNs : null,
        };
    }

    // Years that 64 bits of nanoseconds do not reach are cut off at their ends.
    private static long ToNs(long seconds, long nanoseconds) =>
        seconds > 9_223_372_035 ? long.MaxValue : seconds < -9_223_372_036 ? long.MinValue + 1 : (seconds * 1_000_000_000) + nanoseconds;
}
