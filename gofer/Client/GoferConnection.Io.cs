// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Client;

/// <content>I/O through the gofer, for what has no donated descriptor; and extended attributes.</content>
public sealed partial class GoferConnection
{
    /// <summary>Reads from an open fid, at most <see cref="LongestPayload"/> bytes; the value is how many, or the error.</summary>
    public HostResult Read(uint openFid, ulong offset, Span<byte> buffer)
    {
        Exchange exchange = Rent();
        int wanted = Math.Min(buffer.Length, LongestPayload);
        int length = new ReadRequest { Fid = openFid, Offset = offset, Count = (uint)wanted }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RRead, out ReadOnlySpan<byte> body);
        int count = 0;
        if (error == HostErrno.None)
        {
            if (ReadReply.TryDecode(body, out ReadReply reply) && reply.Data.Length <= wanted)
            {
                reply.Data.CopyTo(buffer);
                count = reply.Data.Length;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return Result(error, count);
    }

    /// <summary>Writes to an open fid, at most <see cref="LongestPayload"/> bytes; the value is how many, or the error.</summary>
    public HostResult Write(uint openFid, ulong offset, ReadOnlySpan<byte> data)
    {
        Exchange exchange = Rent();
        int wanted = Math.Min(data.Length, LongestPayload);
        int length = new WriteRequest { Fid = openFid, Offset = offset, Data = data[..wanted] }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RWrite, out ReadOnlySpan<byte> body);
        int count = 0;
        if (error == HostErrno.None)
        {
            if (WriteReply.TryDecode(body, out WriteReply reply) && reply.Count <= (uint)wanted)
            {
                count = (int)reply.Count;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return Result(error, count);
    }

    /// <summary>Writes an open fid's data out.</summary>
    public HostErrno Sync(uint openFid, bool dataOnly)
    {
        Exchange exchange = Rent();
        int length = new FsyncRequest { Fid = openFid, DataSync = dataOnly ? 1u : 0 }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RFsync);
    }

    /// <summary>Writes out the data of at most <see cref="NinePLimits.MaxBatch"/> open fids.</summary>
    public HostErrno Sync(ReadOnlySpan<uint> openFids, bool dataOnly)
    {
        Exchange exchange = Rent();
        Span<byte> bytes = stackalloc byte[NinePLimits.MaxBatch * sizeof(uint)];
        int length = new FsyncManyRequest { Fids = U32List.Of(openFids, bytes), DataSync = dataOnly ? 1u : 0 }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RFsyncMany);
    }

    /// <summary>Allocates or punches a range of an open fid, as fallocate(2).</summary>
    public HostErrno Allocate(uint openFid, uint mode, ulong offset, ulong lengthBytes)
    {
        Exchange exchange = Rent();
        int length = new AllocateRequest { Fid = openFid, Mode = mode, Offset = offset, Length = lengthBytes }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RAllocate);
    }

    /// <summary>Reads an extended attribute; the value is its length in bytes, or the error.</summary>
    /// <param name="fid">The file.</param>
    /// <param name="name">The attribute's name.</param>
    /// <param name="buffer">Where the value goes; empty to learn its length.</param>
    public HostResult GetXattr(uint fid, string name, Span<byte> buffer)
    {
        if (name.Length > NinePLimits.MaxName)
        {
            return Result(HostErrno.ERANGE, 0);
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new GetXattrRequest { Fid = fid, Name = Bytes(name, scratch), Size = (uint)buffer.Length }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RGetXattr, out ReadOnlySpan<byte> body);
        int size = 0;
        if (error == HostErrno.None)
        {
            if (GetXattrReply.TryDecode(body, out GetXattrReply reply) && reply.Size <= NinePLimits.MaxXattrValue && reply.Value.Length <= buffer.Length)
            {
                reply.Value.CopyTo(buffer);
                size = (int)reply.Size;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return Result(error, size);
    }

    /// <summary>Reads the names of a file's extended attributes, each with a NUL after it; the value is the list's length in bytes, or the error.</summary>
    /// <param name="fid">The file.</param>
    /// <param name="buffer">Where the names go; empty to learn their length.</param>
    public HostResult ListXattr(uint fid, Span<byte> buffer)
    {
        Exchange exchange = Rent();
        int length = new ListXattrRequest { Fid = fid, Size = (uint)buffer.Length }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RListXattr, out ReadOnlySpan<byte> body);
        int size = 0;
        if (error == HostErrno.None)
        {
            if (ListXattrReply.TryDecode(body, out ListXattrReply reply) && reply.Size <= NinePLimits.MaxXattrList && reply.Names.Length <= buffer.Length)
            {
                reply.Names.CopyTo(buffer);
                size = (int)reply.Size;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return Result(error, size);
    }

    /// <summary>Sets an extended attribute.</summary>
    /// <param name="fid">The file.</param>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">The value.</param>
    /// <param name="flags">XATTR_CREATE, XATTR_REPLACE or 0.</param>
    public HostErrno SetXattr(uint fid, string name, ReadOnlySpan<byte> value, uint flags)
    {
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ERANGE;
        }

        if (value.Length > NinePLimits.MaxXattrValue)
        {
            return HostErrno.E2BIG;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new SetXattrRequest { Fid = fid, Name = Bytes(name, scratch), Flags = flags, Value = value }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RSetXattr);
    }

    /// <summary>Removes an extended attribute.</summary>
    public HostErrno RemoveXattr(uint fid, string name)
    {
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ERANGE;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new RemoveXattrRequest { Fid = fid, Name = Bytes(name, scratch) }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RRemoveXattr);
    }

    private static HostResult Result(HostErrno error, int value) => new(error == HostErrno.None ? value : -(long)error);
}
