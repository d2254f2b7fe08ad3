// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>I/O on files that stay with the gofer.</content>
public sealed partial class GoferSession
{
    /// <inheritdoc/>
    public void Read(in ReadRequest request, ref ReplyFrame reply)
    {
        Fid? fid = _fids.Find(request.Fid);
        int count = (int)Math.Min(request.Count, (uint)LongestPayload);
        Span<byte> payload = reply.Buffer.Slice(ReadReply.PayloadOffset, count);
        HostResult result;
        if (fid is { Xattr: { SetName: null } xattr })
        {
            int start = (int)Math.Min(request.Offset, (ulong)xattr.Value.Length);
            int length = Math.Min(count, xattr.Value.Length - start);
            xattr.Value.AsSpan(start, length).CopyTo(payload);
            result = new HostResult(length);
        }
        else if (fid is null || fid.OpenFd < 0)
        {
            result = Failure(HostErrno.EBADF);
        }
        else if (fid.FileType == Linux.S_IFIFO)
        {
            result = HostCalls.Read(fid.OpenFd, payload);
        }
        else
        {
            result = request.Offset > long.MaxValue ? Failure(HostErrno.EINVAL) : HostCalls.Pread(fid.OpenFd, payload, (long)request.Offset);
        }

        if (reply.Succeeded(result))
        {
            reply.Length = ReadReply.EncodeAround(reply.Buffer, reply.Tag, result.Int);
        }
    }

    /// <inheritdoc/>
    public void Write(in WriteRequest request, ref ReplyFrame reply)
    {
        Fid? fid = _fids.Find(request.Fid);
        HostResult result;
        if (fid is { Xattr: { SetName: not null } xattr })
        {
            result = Append(xattr, request.Offset, request.Data);
        }
        else if (fid is null || fid.OpenFd < 0)
        {
            result = Failure(HostErrno.EBADF);
        }
        else if (fid.FileType == Linux.S_IFIFO)
        {
            result = HostCalls.Write(fid.OpenFd, request.Data);
        }
        else
        {
            result = request.Offset > long.MaxValue ? Failure(HostErrno.EINVAL) : HostCalls.Pwrite(fid.OpenFd, request.Data, (long)request.Offset);
        }

        if (reply.Succeeded(result))
        {
            reply.Length = new WriteReply { Count = (uint)result.Int }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Fsync(in FsyncRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (fid.OpenFd < 0)
        {
            reply.Error(HostErrno.EBADF);
        }
        else if (reply.Succeeded(Sync(fid.OpenFd, request.DataSync)))
        {
            reply.Length = default(FsyncReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void FsyncMany(in FsyncManyRequest request, ref ReplyFrame reply)
    {
        // All are tried; the first failure is told.
        HostErrno first = HostErrno.None;
        for (int i = 0; i < request.Fids.Count; i++)
        {
            Fid? fid = _fids.Find(request.Fids[i]);
            HostErrno error = fid is null || fid.OpenFd < 0 ? HostErrno.EBADF : Sync(fid.OpenFd, request.DataSync).Error;
            first = first == HostErrno.None ? error : first;
        }

        if (first == HostErrno.None)
        {
            reply.Length = default(FsyncManyReply).Encode(reply.Buffer, reply.Tag);
        }
        else
        {
            reply.Error(first);
        }
    }

    /// <inheritdoc/>
    public void Allocate(in AllocateRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (fid.OpenFd < 0)
        {
            reply.Error(HostErrno.EBADF);
        }
        else if (request.Offset > long.MaxValue || request.Length > long.MaxValue || request.Mode > int.MaxValue)
        {
            reply.Error(HostErrno.EINVAL);
        }
        else if (reply.Succeeded(HostCalls.Fallocate(fid.OpenFd, (int)request.Mode, (long)request.Offset, (long)request.Length)))
        {
            reply.Length = default(AllocateReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    private static HostResult Sync(int fd, uint dataSync) => dataSync != 0 ? HostCalls.Fdatasync(fd) : HostCalls.Fsync(fd);

    private static HostResult Append(XattrTransfer xattr, ulong offset, ReadOnlySpan<byte> data)
    {
        if (offset != (ulong)xattr.Written || data.Length > xattr.Value.Length - xattr.Written)
        {
            return Failure(HostErrno.EINVAL);
        }

        data.CopyTo(xattr.Value.AsSpan(xattr.Written));
        xattr.Written += data.Length;
        return new HostResult(data.Length);
    }
}
