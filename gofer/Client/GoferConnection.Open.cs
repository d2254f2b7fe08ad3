// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Client;

/// <content>Opening and making files.</content>
public sealed partial class GoferConnection
{
    /// <summary>Opens a file; its fid stays.</summary>
    /// <param name="fid">The file.</param>
    /// <param name="flags">O_* of the host.</param>
    /// <param name="opened">The descriptor or the open fid.</param>
    public HostErrno OpenFile(uint fid, uint flags, out GoferOpen opened)
    {
        opened = default;
        if (!_fids.TryTake(out uint newFid))
        {
            return HostErrno.EMFILE;
        }

        Exchange exchange = Rent();
        int length = new OpenFdRequest { Fid = fid, NewFid = newFid, Flags = flags }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.ROpenFd, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            error = OpenFdReply.TryDecode(body, out OpenFdReply reply) ? Accept(exchange, reply.Donated, newFid, out opened) : BadReply(exchange);
        }

        return Finish(exchange, error, newFid);
    }

    /// <summary>Makes and opens a regular file, which must not exist.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The new name.</param>
    /// <param name="flags">O_* of the host.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="uid">The owner.</param>
    /// <param name="gid">The group.</param>
    /// <param name="fid">The file's fid.</param>
    /// <param name="attr">Its attributes.</param>
    /// <param name="opened">The descriptor or the open fid.</param>
    public HostErrno CreateFile(
        uint directory, string name, uint flags, uint mode, uint uid, uint gid, out uint fid, out Attr attr, out GoferOpen opened)
    {
        attr = default;
        opened = default;
        fid = 0;
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ENAMETOOLONG;
        }

        if (!_fids.TryTake(out fid))
        {
            return HostErrno.EMFILE;
        }

        if (!_fids.TryTake(out uint openFid))
        {
            _fids.Return(fid);
            return HostErrno.EMFILE;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new CreateFdRequest
        {
            DirFid = directory,
            NewFid = fid,
            OpenFid = openFid,
            Name = Bytes(name, scratch),
            Flags = flags,
            Mode = mode,
            Uid = uid,
            Gid = gid,
        }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RCreateFd, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (CreateFdReply.TryDecode(body, out CreateFdReply reply))
            {
                attr = reply.Attr;
                error = Accept(exchange, reply.Donated, openFid, out opened);
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        if (error != HostErrno.None)
        {
            _fids.Return(openFid);
        }

        return Finish(exchange, error, fid);
    }

    /// <summary>Makes a directory, symbolic link, FIFO, socket file or empty regular file.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The new name.</param>
    /// <param name="mode">Type and permission bits.</param>
    /// <param name="uid">The owner.</param>
    /// <param name="gid">The group.</param>
    /// <param name="target">What a symbolic link says, else empty.</param>
    /// <param name="fid">The file's fid.</param>
    /// <param name="attr">Its attributes.</param>
    public HostErrno Make(uint directory, string name, uint mode, uint uid, uint gid, string target, out uint fid, out Attr attr)
    {
        attr = default;
        fid = 0;
        if (name.Length > NinePLimits.MaxName || target.Length > NinePLimits.MaxLinkTarget)
        {
            return HostErrno.ENAMETOOLONG;
        }

        if (!_fids.TryTake(out fid))
        {
            return HostErrno.EMFILE;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName + NinePLimits.MaxLinkTarget];
        int length = new MakeNodeRequest
        {
            DirFid = directory,
            NewFid = fid,
            Name = Bytes(name, scratch),
            Mode = mode,
            Uid = uid,
            Gid = gid,
            Target = Bytes(target, scratch[NinePLimits.MaxName..]),
        }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RMakeNode, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (MakeNodeReply.TryDecode(body, out MakeNodeReply reply))
            {
                attr = reply.Attr;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        return Finish(exchange, error, fid);
    }

    /// <summary>Connects to a unix socket of the host.</summary>
    /// <param name="fid">The socket's file.</param>
    /// <param name="socketType">SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.</param>
    /// <param name="hostFd">The connection, the caller's to close.</param>
    public HostErrno Connect(uint fid, int socketType, out int hostFd)
    {
        Exchange exchange = Rent();
        int length = new ConnectRequest { Fid = fid, SocketType = (uint)socketType }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RConnect, out _);
        hostFd = exchange.Fd;
        if (error == HostErrno.None && hostFd < 0)
        {
            error = BadReply(exchange);
        }

        Return(exchange);
        return error;
    }

    /// <summary>Makes a unix socket of the host bound to a new name.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The new name.</param>
    /// <param name="socketType">SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="uid">The owner.</param>
    /// <param name="gid">The group.</param>
    /// <param name="fid">The file's fid.</param>
    /// <param name="attr">Its attributes.</param>
    /// <param name="hostFd">The socket, the caller's to close.</param>
    public HostErrno Bind(
        uint directory, string name, int socketType, uint mode, uint uid, uint gid, out uint fid, out Attr attr, out int hostFd)
    {
        attr = default;
        hostFd = -1;
        fid = 0;
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ENAMETOOLONG;
        }

        if (!_fids.TryTake(out fid))
        {
            return HostErrno.EMFILE;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new BindRequest
        {
            DirFid = directory,
            NewFid = fid,
            Name = Bytes(name, scratch),
            SocketType = (uint)socketType,
            Mode = mode,
            Uid = uid,
            Gid = gid,
        }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RBind, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (BindReply.TryDecode(body, out BindReply reply) && exchange.Fd >= 0)
            {
                attr = reply.Attr;
                hostFd = exchange.Fd;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        return Finish(exchange, error, fid);
    }

    // What an open gave: a descriptor, and then the number for an open fid is free again; or that fid.
    private HostErrno Accept(Exchange exchange, byte donated, uint openFid, out GoferOpen opened)
    {
        opened = default;
        if ((donated != 0) != (exchange.Fd >= 0))
        {
            return BadReply(exchange);
        }

        if (donated != 0)
        {
            _fids.Return(openFid);
            opened = new GoferOpen(exchange.Fd, 0);
        }
        else
        {
            opened = new GoferOpen(-1, openFid);
        }

        return HostErrno.None;
    }
}
