// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Walks.</content>
public sealed partial class GoferSession
{
    private const byte WalkedAll = 0, WalkMetSymlink = 1, WalkMissed = 2, WalkMetFile = 3;

    /// <inheritdoc/>
    public void Walk(in WalkRequest request, ref ReplyFrame reply)
    {
        bool inPlace = request.NewFid == request.Fid;
        if (!TryFile(request.Fid, ref reply, out Fid from) || (!inPlace && !TryNewFid(request.NewFid, ref reply)))
        {
            return;
        }

        if (from.PathFd < 0 || from.OpenFd >= 0)
        {
            reply.Error(HostErrno.EBADF);
            return;
        }

        HostResult copy = HostCalls.Fcntl(from.PathFd, Linux.F_DUPFD_CLOEXEC, 0);
        if (!reply.Succeeded(copy))
        {
            return;
        }

        Span<byte> scratch = stackalloc byte[NinePLimits.MaxWalk * Qid.WireSize];
        WireWriter qids = new(scratch);
        int current = copy.Int;
        uint type = from.FileType;
        int walked = 0;
        HostErrno error = HostErrno.None;
        foreach (ReadOnlySpan<byte> name in request.Names)
        {
            error = Step(current, type, name, out int next, out Attr attr);
            if (error != HostErrno.None)
            {
                break;
            }

            _ = HostCalls.Close(current);
            current = next;
            type = attr.Mode & Linux.S_IFMT;
            HostFiles.ToQid(in attr).Write(ref qids);
            walked++;
        }

        // 9P: an error only when the first step fails; otherwise the qids tell how far it went, and no fid is made.
        if (walked < request.Names.Count)
        {
            _ = HostCalls.Close(current);
            if (walked == 0)
            {
                reply.Error(error);
                return;
            }
        }
        else
        {
            if (inPlace)
            {
                _fids.Remove(request.Fid)?.Close();
            }

            _fids.Add(request.NewFid, new Fid { PathFd = current, FileType = type });
        }

        reply.Length = new WalkReply { Qids = new QidList(qids.Written) }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void WalkGetattr(in WalkGetattrRequest request, ref ReplyFrame reply)
    {
        int count = request.Names.Count;
        bool keepsFids = request.NewFids.Count > 0;
        if (!TryDirectory(request.Fid, ref reply, out Fid from))
        {
            return;
        }

        if (count == 0 || (keepsFids && request.NewFids.Count != count))
        {
            reply.Error(HostErrno.EINVAL);
            return;
        }

        Span<byte> scratch = stackalloc byte[NinePLimits.MaxWalkGetattr * Attr.WireSize];
        WireWriter attrs = new(scratch);
        int current = from.PathFd;
        uint type = from.FileType;
        int walked = 0;
        byte status = WalkedAll;
        HostErrno error = HostErrno.None;
        foreach (ReadOnlySpan<byte> name in request.Names)
        {
            if (type != Linux.S_IFDIR)
            {
                status = type == Linux.S_IFLNK ? WalkMetSymlink : WalkMetFile;
                break;
            }

            error = keepsFids ? _fids.Check(request.NewFids[walked]) : HostErrno.None;
            if (error != HostErrno.None)
            {
                break;
            }

            error = Step(current, type, name, out int next, out Attr attr);
            if (error == HostErrno.ENOENT)
            {
                error = HostErrno.None;
                status = WalkMissed;
                break;
            }

            if (error != HostErrno.None)
            {
                break;
            }

            if (!keepsFids && current != from.PathFd)
            {
                _ = HostCalls.Close(current);
            }

            current = next;
            type = attr.Mode & Linux.S_IFMT;
            if (keepsFids)
            {
                _fids.Add(request.NewFids[walked], new Fid { PathFd = current, FileType = type });
            }

            attr.Write(ref attrs);
            walked++;
        }

        if (!keepsFids && current != from.PathFd)
        {
            _ = HostCalls.Close(current);
        }

        if (error != HostErrno.None)
        {
            for (int i = 0; keepsFids && i < walked; i++)
            {
                _fids.Remove(request.NewFids[i])?.Close();
            }

            reply.Error(error);
            return;
        }

        reply.Length = new WalkGetattrReply { Status = status, Attrs = new AttrList(attrs.Written) }.Encode(reply.Buffer, reply.Tag);
    }

    // One component: an O_PATH descriptor and its attributes.
    private static HostErrno Step(int directoryFd, uint type, ReadOnlySpan<byte> name, out int fd, out Attr attr)
    {
        fd = -1;
        attr = default;
        if (type != Linux.S_IFDIR)
        {
            return HostErrno.ENOTDIR;
        }

        Span<byte> buffer = stackalloc byte[HostName.Room];
        HostErrno error = HostName.Copy(name, buffer);
        if (error != HostErrno.None)
        {
            return error;
        }

        HostResult found = HostFiles.Lookup(directoryFd, buffer);
        if (found.IsError)
        {
            return found.Error;
        }

        error = HostFiles.Stat(found.Int, out attr);
        if (error != HostErrno.None)
        {
            _ = HostCalls.Close(found.Int);
            return error;
        }

        fd = found.Int;
        return HostErrno.None;
    }
}
