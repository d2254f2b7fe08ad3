// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>The connection itself: version, attach, fids that go.</content>
public sealed partial class GoferSession
{
    private const uint AttachWantsRoot = 1;
    private const uint MountReadOnly = 1, MountDonates = 2, MountRootComes = 4;

    // No header and least payload fits less.
    private const uint ShortestMessage = 4096;

    /// <inheritdoc/>
    public void Version(in VersionRequest request, ref ReplyFrame reply)
    {
        if (request.Msize < ShortestMessage || _longestMessage < ShortestMessage)
        {
            reply.Error(HostErrno.EMSGSIZE);
            return;
        }

        _fids.Clear();
        _messageSize = (int)Math.Min(request.Msize, (uint)_longestMessage);
        bool known = request.Version.SequenceEqual(NinePLimits.Version);
        reply.Length = new VersionReply { Msize = (uint)_messageSize, Version = known ? NinePLimits.Version : "unknown"u8 }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Auth(in AuthRequest request, ref ReplyFrame reply) => reply.Error(HostErrno.EOPNOTSUPP);

    /// <inheritdoc/>
    public void Attach(in AttachRequest request, ref ReplyFrame reply)
    {
        if (request.Afid != Frame.NoFid)
        {
            reply.Error(HostErrno.EINVAL);
        }
        else if (TryAttach(request.Fid, ref reply, out Attr attr))
        {
            reply.Length = new AttachReply { Qid = HostFiles.ToQid(in attr) }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void AttachGetattr(in AttachGetattrRequest request, ref ReplyFrame reply)
    {
        if (!TryAttach(request.Fid, ref reply, out Attr attr))
        {
            return;
        }

        uint flags = (_options.ReadOnly ? MountReadOnly : 0) | (_options.DonatesFiles ? MountDonates : 0);
        if ((request.Flags & AttachWantsRoot) != 0 && _options.DonatesRoot)
        {
            flags |= MountRootComes;
            reply.Fd = _rootFd;
        }

        reply.Length = new AttachGetattrReply { Attr = attr, MountFlags = flags }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Flush(in FlushRequest request, ref ReplyFrame reply) =>
        reply.Length = default(FlushReply).Encode(reply.Buffer, reply.Tag); // requests are answered one after another: the old one was

    /// <inheritdoc/>
    public void Clunk(in ClunkRequest request, ref ReplyFrame reply)
    {
        Fid? fid = _fids.Remove(request.Fid);
        HostErrno error = fid is null ? HostErrno.EBADF : FinishXattr(fid);
        fid?.Close();
        if (error == HostErrno.None)
        {
            reply.Length = default(ClunkReply).Encode(reply.Buffer, reply.Tag);
        }
        else
        {
            reply.Error(error);
        }
    }

    /// <inheritdoc/>
    public void ClunkMany(in ClunkManyRequest request, ref ReplyFrame reply)
    {
        for (int i = 0; i < request.Fids.Count; i++)
        {
            _fids.Remove(request.Fids[i])?.Close();
        }

        reply.Length = default(ClunkManyReply).Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Remove(in RemoveRequest request, ref ReplyFrame reply)
    {
        // The fid goes even though the file stays, as remove(5) has it.
        _fids.Remove(request.Fid)?.Close();
        reply.Error(HostErrno.EOPNOTSUPP);
    }

    private bool TryAttach(uint number, ref ReplyFrame reply, out Attr attr)
    {
        attr = default;
        if (!TryNewFid(number, ref reply))
        {
            return false;
        }

        HostErrno error = HostFiles.Stat(_rootFd, out attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return false;
        }

        HostResult copy = HostCalls.Fcntl(_rootFd, Linux.F_DUPFD_CLOEXEC, 0);
        if (!reply.Succeeded(copy))
        {
            return false;
        }

        _fids.Add(number, new Fid { PathFd = copy.Int, FileType = attr.Mode & Linux.S_IFMT });
        return true;
    }
}
