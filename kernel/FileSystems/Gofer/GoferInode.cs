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
    private const uint BirthMask = 0x800;

    private readonly GoferFileSystem _fs;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private Attributes _attributes;
    [GuardedBy(nameof(_lock))]
    private bool _isFresh;
    [GuardedBy(nameof(_lock))]
    private string? _linkTarget;

    /// <summary>Makes the inode of a file.</summary>
    /// <param name="fileSystem">The mount.</param>
    /// <param name="fid">The gofer's number for it; 0 when there is none yet.</param>
    /// <param name="pathFd">A descriptor of the file to take over; -1 when there is none.</param>
    /// <param name="identity">Which file it is.</param>
    /// <param name="attributes">Its attributes now.</param>
    internal GoferInode(GoferFileSystem fileSystem, uint fid, int pathFd, FileIdentity identity, in Attributes attributes)
        : base(fileSystem)
    {
        _fs = fileSystem;
        _fid = fid;
        _pathFd = pathFd;
        Identity = identity;
        Type = ModeBits.TypeOf(attributes.Mode);
        _attributes = attributes;
        _isFresh = true;
    }

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
                error = GetFid(out uint fid);
                Attr attr = default;
                if (error == HostErrno.None)
                {
                    error = _fs.Connection.SetAttr(fid, Convert(in change), out attr);
                }

                if (error == HostErrno.None)
                {
                    _attributes = Convert(_fs, Identity, in attr);
                    _isFresh = true;
                    _isBarred = false;
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

            HostErrno error = OpenHomeLocked(DirectCalls.AnyPath, out int fd);
            if (error == HostErrno.None)
            {
                error = DirectCalls.ReadLink(fd, out target);
                _ = HostCalls.Close(fd);
            }
            else
            {
                target = "";
                error = GetFid(out uint gofer);
                if (error == HostErrno.None)
                {
                    error = _fs.Connection.ReadLink(gofer, out target);
                }
            }

            if (error == HostErrno.None)
            {
                _linkTarget = target;
            }

            return error.ToGuest();
        }
    }

    /// <summary>Takes over attributes that came along with something else.</summary>
    internal void Learn(in Attributes attributes)
    {
        lock (_lock)
        {
            _attributes = attributes;
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
        CloseDirectly();
        if (_fid != NoFid)
        {
            _fs.Connection.Drop(_fid);
        }

        MoveTo(null, "");
    }

    [RequiresLock(nameof(_lock))]
    private Errno RefreshLocked()
    {
        GoferHandle? handle = _writer ?? _reader;
        int fd = handle is { HostFd: >= 0 } ? handle.HostFd : _pathFd;
        HostErrno error = StatLocked(fd);
        if (fd >= 0 || error == HostErrno.None)
        {
            return error.ToGuest();
        }

        error = GetFid(out uint fid);
        Attr attr = default;
        if (error == HostErrno.None)
        {
            error = _fs.Connection.GetAttr(fid, out attr);
        }

        if (error == HostErrno.None)
        {
            _attributes = Convert(_fs, Identity, in attr);
            _isFresh = true;
        }

        return error.ToGuest();
    }

    /// <summary>Attributes as the gofer tells them.</summary>
    internal static Attributes Convert(GoferFileSystem fileSystem, FileIdentity identity, in Attr attr) => new()
    {
        Mode = attr.Mode,
        Uid = attr.Uid,
        Gid = attr.Gid,
        LinkCount = attr.Nlink,
        Inode = fileSystem.GuestInode(identity),
        Device = fileSystem.Device,
        RawDevice = DeviceNumber.Make(attr.RdevMajor, attr.RdevMinor),
        SizeBytes = attr.Size,
        Blocks = attr.Blocks,
        BlockSize = attr.BlockSize,
        AccessTimeNs = ToNs(attr.AtimeS, attr.AtimeNs),
        ModifyTimeNs = ToNs(attr.MtimeS, attr.MtimeNs),
        ChangeTimeNs = ToNs(attr.CtimeS, attr.CtimeNs),
        BirthTimeNs = ToNs(attr.BtimeS, attr.BtimeNs),
    };

    /// <summary>Attributes as the host tells them.</summary>
    internal static Attributes Convert(GoferFileSystem fileSystem, FileIdentity identity, in HostStatx stat) => new()
    {
        Mode = stat.Mode,
        Uid = stat.Uid,
        Gid = stat.Gid,
        LinkCount = stat.Nlink,
        Inode = fileSystem.GuestInode(identity),
        Device = fileSystem.Device,
        RawDevice = DeviceNumber.Make(stat.RdevMajor, stat.RdevMinor),
        SizeBytes = stat.Size,
        Blocks = stat.Blocks,
        BlockSize = stat.BlockSize,
        AccessTimeNs = ToNs(stat.Atime.Seconds, stat.Atime.Nanoseconds),
        ModifyTimeNs = ToNs(stat.Mtime.Seconds, stat.Mtime.Nanoseconds),
        ChangeTimeNs = ToNs(stat.Ctime.Seconds, stat.Ctime.Nanoseconds),
        BirthTimeNs = BirthOf(in stat),
    };

    /// <summary>Which file the gofer speaks of.</summary>
    internal static FileIdentity IdentityOf(in Attr attr) =>
        new(attr.DevMajor, attr.DevMinor, attr.Ino, ModeBits.TypeOf(attr.Mode), ToNs(attr.BtimeS, attr.BtimeNs));

    /// <summary>Which file the host speaks of.</summary>
    internal static FileIdentity IdentityOf(in HostStatx stat) =>
        new(stat.DevMajor, stat.DevMinor, stat.Ino, ModeBits.TypeOf(stat.Mode), BirthOf(in stat));

    private static long BirthOf(in HostStatx stat) => (stat.Mask & BirthMask) != 0 ? ToNs(stat.Btime.Seconds, stat.Btime.Nanoseconds) : 0;

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
