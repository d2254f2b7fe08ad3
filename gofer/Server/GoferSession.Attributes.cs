// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Attributes of files and file systems.</content>
public sealed partial class GoferSession
{
    private const uint SetMode = 1, SetUid = 2, SetGid = 4, SetSize = 8, SetAtime = 0x10, SetMtime = 0x20, SetCtime = 0x40, SetAtimeTo = 0x80, SetMtimeTo = 0x100;
    private const uint SetAll = 0x1FF;
    private const uint NoChange = uint.MaxValue;

    // P9_GETATTR_BASIC and BTIME.
    private const ulong GetattrValid = 0x7FF | 0x800;

    /// <inheritdoc/>
    public void Getattr(in GetattrRequest request, ref ReplyFrame reply)
    {
        if (TryStat(request.Fid, ref reply, out Attr attr))
        {
            reply.Length = new GetattrReply
            {
                Valid = GetattrValid,
                Qid = HostFiles.ToQid(in attr),
                Mode = attr.Mode,
                Uid = attr.Uid,
                Gid = attr.Gid,
                Nlink = attr.Nlink,
                Rdev = MakeDevice(attr.RdevMajor, attr.RdevMinor),
                Size = attr.Size,
                BlockSize = attr.BlockSize,
                Blocks = attr.Blocks,
                AtimeS = unchecked((ulong)attr.AtimeS), // times before 1970 keep their bits
                AtimeNs = attr.AtimeNs,
                MtimeS = unchecked((ulong)attr.MtimeS),
                MtimeNs = attr.MtimeNs,
                CtimeS = unchecked((ulong)attr.CtimeS),
                CtimeNs = attr.CtimeNs,
                BtimeS = unchecked((ulong)attr.BtimeS),
                BtimeNs = attr.BtimeNs,
            }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void GetattrAll(in GetattrAllRequest request, ref ReplyFrame reply)
    {
        if (TryStat(request.Fid, ref reply, out Attr attr))
        {
            reply.Length = new GetattrAllReply { Attr = attr }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Setattr(in SetattrRequest request, ref ReplyFrame reply)
    {
        if (request.AtimeNs > uint.MaxValue || request.MtimeNs > uint.MaxValue)
        {
            reply.Error(HostErrno.EINVAL);
            return;
        }

        SetattrGetattrRequest same = new()
        {
            Fid = request.Fid,
            Valid = request.Valid,
            Mode = request.Mode,
            Uid = request.Uid,
            Gid = request.Gid,
            Size = request.Size,
            AtimeS = unchecked((long)request.AtimeS),
            AtimeNs = (uint)request.AtimeNs,
            MtimeS = unchecked((long)request.MtimeS),
            MtimeNs = (uint)request.MtimeNs,
        };
        if (TryChange(in same, ref reply, out _))
        {
            reply.Length = default(SetattrReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void SetattrGetattr(in SetattrGetattrRequest request, ref ReplyFrame reply)
    {
        if (!TryChange(in request, ref reply, out Fid fid))
        {
            return;
        }

        HostErrno error = HostFiles.Stat(fid.AnyFd, out Attr attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        reply.Length = new SetattrGetattrReply { Attr = attr }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Statfs(in StatfsRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        HostStatfs stat = default;
        if (reply.Succeeded(HostCalls.Fstatfs(fid.AnyFd, ref stat)))
        {
            reply.Length = new StatfsReply
            {
                Type = unchecked((uint)stat.Type), // a magic number of 32 bits
                BlockSize = unchecked((uint)stat.BlockSize),
                Blocks = stat.Blocks,
                BlocksFree = stat.BlocksFree,
                BlocksAvailable = stat.BlocksAvailable,
                Files = stat.Files,
                FilesFree = stat.FilesFree,
                FsId = stat.FsId,
                NameLength = unchecked((uint)stat.NameLength),
            }.Encode(reply.Buffer, reply.Tag);
        }
    }

    private bool TryStat(uint number, ref ReplyFrame reply, out Attr attr)
    {
        attr = default;
        if (!TryFile(number, ref reply, out Fid fid))
        {
            return false;
        }

        HostErrno error = HostFiles.Stat(fid.AnyFd, out attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return false;
        }

        return true;
    }

    // In the order that makes each part last: a change of size or owner clears set-ID bits, and every change moves times.
    private bool TryChange(in SetattrGetattrRequest request, ref ReplyFrame reply, out Fid fid)
    {
        if (!TryFile(request.Fid, ref reply, out fid))
        {
            return false;
        }

        uint valid = request.Valid;
        if ((valid & ~SetAll) != 0 || ((valid & SetMode) != 0 && (request.Mode & ~(Linux.S_IFMT | Linux.PermissionBits)) != 0))
        {
            reply.Error(HostErrno.EINVAL);
            return false;
        }

        if (_options.ReadOnly)
        {
            reply.Error(HostErrno.EROFS);
            return false;
        }

        if ((valid & SetSize) != 0 && !reply.Succeeded(Truncate(fid, request.Size)))
        {
            return false;
        }

        if ((valid & (SetUid | SetGid)) != 0)
        {
            uint uid = (valid & SetUid) != 0 ? request.Uid : NoChange;
            uint gid = (valid & SetGid) != 0 ? request.Gid : NoChange;
            if (!reply.Succeeded(HostFiles.ChangeOwner(fid.AnyFd, uid, gid)))
            {
                return false;
            }
        }

        if ((valid & SetMode) != 0 && !reply.Succeeded(_files.ChangeMode(fid.AnyFd, request.Mode & Linux.PermissionBits)))
        {
            return false;
        }

        if ((valid & (SetAtime | SetMtime)) != 0)
        {
            HostTimespecPair times = new()
            {
                Access = Time(valid, SetAtime, SetAtimeTo, request.AtimeS, request.AtimeNs),
                Modify = Time(valid, SetMtime, SetMtimeTo, request.MtimeS, request.MtimeNs),
            };
            return reply.Succeeded(_files.ChangeTimes(fid.AnyFd, ref times));
        }

        return true;
    }

    private HostResult Truncate(Fid fid, ulong size)
    {
        if (size > long.MaxValue)
        {
            return Failure(HostErrno.EINVAL);
        }

        if (fid.FileType != Linux.S_IFREG)
        {
            return Failure(fid.FileType == Linux.S_IFDIR ? HostErrno.EISDIR : HostErrno.EINVAL);
        }

        if (fid.OpenFd >= 0 && fid.AccessMode != Linux.O_RDONLY)
        {
            return HostCalls.Ftruncate(fid.OpenFd, (long)size);
        }

        HostResult writable = _files.Reopen(fid.AnyFd, Linux.O_WRONLY);
        if (writable.IsError)
        {
            return writable;
        }

        HostResult result = HostCalls.Ftruncate(writable.Int, (long)size);
        _ = HostCalls.Close(writable.Int);
        return result;
    }

    // A bit alone means now; with its "to" bit, the time given.
    private static HostTimespec Time(uint valid, uint bit, uint toBit, long seconds, uint nanoseconds) =>
        (valid & bit) == 0 ? new HostTimespec { Nanoseconds = Linux.UTIME_OMIT }
        : (valid & toBit) == 0 ? new HostTimespec { Nanoseconds = Linux.UTIME_NOW }
        : new HostTimespec { Seconds = seconds, Nanoseconds = Math.Min(nanoseconds, 999_999_999) };

    // gnu_dev_makedev.
    private static ulong MakeDevice(uint major, uint minor) =>
        (minor & 0xFF) | ((ulong)(major & 0xFFF) << 8) | ((ulong)(minor & ~0xFFu) << 12) | ((ulong)(major & ~0xFFFu) << 32);
}
