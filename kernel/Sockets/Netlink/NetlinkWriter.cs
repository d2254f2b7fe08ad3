// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi.Linux;

namespace CVisor.Sockets.Netlink;

/// <summary>Writes netlink messages one behind the other.</summary>
internal sealed class NetlinkWriter(uint sequence, uint port)
{
    private const int HeaderBytes = 16;
    private byte[] _bytes = new byte[1024];
    private int _length;
    private int _start;

    /// <summary>What was written.</summary>
    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Starts a message.</summary>
    internal void Begin(ushort type, ushort flags)
    {
        _start = _length;
        Span<byte> header = Take(HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], port);
    }

    /// <summary>Ends the message: its length is known.</summary>
    internal void End()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_start), _length - _start);
        _ = Take(-_length & 3);
    }

    /// <summary>Ends a dump.</summary>
    internal void Done()
    {
        Begin(NetlinkConstants.NLMSG_DONE, NetlinkConstants.NLM_F_MULTI);
        Word(0);
        End();
    }

    internal void Byte(byte value) => Take(1)[0] = value;

    internal void Short(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    internal void Word(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    internal void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>An attribute of bytes.</summary>
    internal void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        Short((ushort)(4 + value.Length));
        Short(type);
        Raw(value);
        _ = Take(-_length & 3);
    }

    /// <summary>An attribute of one word.</summary>
    internal void Attribute(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Attribute(type, bytes);
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        Span<byte> taken = _bytes.AsSpan(_length, count);
        _length += count;
        return taken;
    }
}
