// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Extended attributes.</content>
/// <remarks>
/// A guest sets and removes attributes of the user namespace only: anything else (file capabilities, ACLs, labels) would
/// mean something to the host. It reads those of the user namespace and file capabilities, which execve asks for.
/// </remarks>
public sealed partial class GoferSession
{
    /// <inheritdoc/>
    public void GetXattr(in GetXattrRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        int room = (int)Math.Min(request.Size, NinePLimits.MaxXattrValue);
        Span<byte> value = reply.Buffer.Slice(GetXattrReply.PayloadOffset, room);
        HostResult read = GetAttribute(fid, request.Name, value);
        if (reply.Succeeded(read))
        {
            reply.Length = GetXattrReply.EncodeAround(reply.Buffer, reply.Tag, (uint)read.Int, room == 0 ? 0 : read.Int);
        }
    }

    /// <inheritdoc/>
    public void ListXattr(in ListXattrRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        int room = (int)Math.Min(request.Size, NinePLimits.MaxXattrList);
        Span<byte> names = reply.Buffer.Slice(ListXattrReply.PayloadOffset, room);
        HostResult read = ListAttributes(fid, names);
        if (reply.Succeeded(read))
        {
            reply.Length = ListXattrReply.EncodeAround(reply.Buffer, reply.Tag, (uint)read.Int, room == 0 ? 0 : read.Int);
        }
    }

    /// <inheritdoc/>
    public void SetXattr(in SetXattrRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        Span<byte> name = stackalloc byte[HostName.Room];
        HostName.CopyText(request.Name, name);
        if (reply.Succeeded(SetAttribute(fid, name, request.Name, request.Value, request.Flags)))
        {
            reply.Length = default(SetXattrReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void RemoveXattr(in RemoveXattrRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        HostErrno error = MayChange(fid, request.Name);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        Span<byte> name = stackalloc byte[HostName.Room];
        HostName.CopyText(request.Name, name);
        HostResult opened = OpenForAttributes(fid, out bool close);
        HostResult result = opened.IsError ? opened : HostCalls.Fremovexattr(opened.Int, name);
        Release(opened, close);
        if (reply.Succeeded(result))
        {
            reply.Length = default(RemoveXattrReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Xattrwalk(in XattrwalkRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid) || !TryNewFid(request.NewFid, ref reply))
        {
            return;
        }

        byte[] buffer = new byte[Math.Max(NinePLimits.MaxXattrValue, NinePLimits.MaxXattrList)];
        HostResult read = request.Name.IsEmpty ? ListAttributes(fid, buffer) : GetAttribute(fid, request.Name, buffer);
        if (reply.Succeeded(read))
        {
            _fids.Add(request.NewFid, new Fid { Xattr = new XattrTransfer { Value = buffer[..read.Int] } });
            reply.Length = new XattrwalkReply { Size = (ulong)read.Int }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Xattrcreate(in XattrcreateRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        HostErrno error = MayChange(fid, request.Name);
        if (error == HostErrno.None && (request.Size > NinePLimits.MaxXattrValue || request.Flags > Linux.XATTR_REPLACE))
        {
            error = HostErrno.EINVAL;
        }

        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        byte[] name = new byte[request.Name.Length + 1];
        request.Name.CopyTo(name);
        fid.Xattr = new XattrTransfer { Value = new byte[(int)request.Size], SetName = name, SetFlags = (int)request.Flags };
        reply.Length = default(XattrcreateReply).Encode(reply.Buffer, reply.Tag);
    }

    // The clunk of a fid that was made to take a value sets it; a value cut short is an error.
    private HostErrno FinishXattr(Fid fid)
    {
        if (fid.Xattr is not { SetName: { } name } xattr)
        {
            return HostErrno.None;
        }

        return xattr.Written != xattr.Value.Length
            ? HostErrno.EINVAL
            : SetAttribute(fid, name, name.AsSpan(0, name.Length - 1), xattr.Value, (uint)xattr.SetFlags).Error;
    }

    private HostResult SetAttribute(Fid fid, ReadOnlySpan<byte> terminatedName, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, uint flags)
    {
        HostErrno error = MayChange(fid, name);
        if (error != HostErrno.None || flags > Linux.XATTR_REPLACE)
        {
            return Failure(error == HostErrno.None ? HostErrno.EINVAL : error);
        }

        HostResult opened = OpenForAttributes(fid, out bool close);
        HostResult result = opened.IsError ? opened : HostCalls.Fsetxattr(opened.Int, terminatedName, value, (int)flags);
        Release(opened, close);
        return result;
    }

    private HostResult GetAttribute(Fid fid, ReadOnlySpan<byte> name, Span<byte> value)
    {
        if (!name.StartsWith("user."u8) && !name.SequenceEqual("security.capability"u8))
        {
            return Failure(HostErrno.EOPNOTSUPP);
        }

        Span<byte> text = stackalloc byte[HostName.Room];
        HostName.CopyText(name, text);
        HostResult opened = OpenForAttributes(fid, out bool close);
        HostResult result = opened.Error == HostErrno.EOPNOTSUPP ? Failure(HostErrno.ENODATA)
            : opened.IsError ? opened
            : HostCalls.Fgetxattr(opened.Int, text, value);
        Release(opened, close);
        return result;
    }

    private HostResult ListAttributes(Fid fid, Span<byte> names)
    {
        HostResult opened = OpenForAttributes(fid, out bool close);
        HostResult result = opened.Error == HostErrno.EOPNOTSUPP ? new HostResult(0)
            : opened.IsError ? opened
            : HostCalls.Flistxattr(opened.Int, names);
        Release(opened, close);
        return result;
    }

    private HostErrno MayChange(Fid fid, ReadOnlySpan<byte> name) =>
        _options.ReadOnly ? HostErrno.EROFS
        : !name.StartsWith("user."u8) ? HostErrno.EOPNOTSUPP
        : fid.FileType is not (Linux.S_IFREG or Linux.S_IFDIR) ? HostErrno.EPERM // as xattr(7) has it for the user namespace
        : HostErrno.None;

    // An O_PATH descriptor has no attributes to the host; opening a device or FIFO for them could do anything.
    private HostResult OpenForAttributes(Fid fid, out bool close)
    {
        close = false;
        if (fid.OpenFd >= 0)
        {
            return new HostResult(fid.OpenFd);
        }

        if (fid.FileType is not (Linux.S_IFREG or Linux.S_IFDIR))
        {
            return Failure(HostErrno.EOPNOTSUPP);
        }

        close = true;
        return _files.Reopen(fid.PathFd, Linux.O_RDONLY | Linux.O_NONBLOCK);
    }

    private static void Release(HostResult opened, bool close)
    {
        if (close && !opened.IsError)
        {
            _ = HostCalls.Close(opened.Int);
        }
    }
}
