// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Gofer.Protocol;

/// <summary>Writes fields into a buffer that is large enough; a limit passed here is our own bug and throws.</summary>
/// <param name="buffer">Where to write.</param>
public ref struct WireWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _position;

    /// <summary>How many bytes were written.</summary>
    public readonly int Length => _position;

    /// <summary>How many bytes can still be written.</summary>
    public readonly int Room => _buffer.Length - _position;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[.._position];

    /// <summary>Begins a message: its size is filled in by <see cref="Finish()"/>.</summary>
    public static WireWriter Begin(Span<byte> frame, MessageType type, ushort tag)
    {
        WireWriter writer = new(frame);
        writer.U32(0);
        writer.U8((byte)type);
        writer.U16(tag);
        return writer;
    }

    /// <summary>Ends a message; the value is its size in bytes.</summary>
    public readonly int Finish() => Finish(0);

    /// <summary>Ends a message that has so many bytes after those written; the value is its size in bytes.</summary>
    public readonly int Finish(int payloadLength)
    {
        int size = _position + payloadLength;
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer, (uint)size);
        return size;
    }

    /// <summary>Writes a byte.</summary>
    public void U8(byte value) => _buffer[_position++] = value;

    /// <summary>Writes 16 bits.</summary>
    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[_position..], value);
        _position += sizeof(ushort);
    }

    /// <summary>Writes 32 bits.</summary>
    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer[_position..], value);
        _position += sizeof(uint);
    }

    /// <summary>Writes 64 bits.</summary>
    public void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer[_position..], value);
        _position += sizeof(ulong);
    }

    /// <summary>Writes 64 bits with a sign.</summary>
    public void I64(long value) => U64(unchecked((ulong)value)); // the same 64 bits

    /// <summary>Writes a 16-bit length and the bytes.</summary>
    public void String(ReadOnlySpan<byte> value)
    {
        U16((ushort)value.Length);
        Raw(value);
    }

    /// <summary>Writes a string of Latin-1 characters as a 16-bit length and one byte for each.</summary>
    public void Latin1(string value)
    {
        U16((ushort)value.Length);
        System.Text.Encoding.Latin1.GetBytes(value, _buffer[_position..]);
        _position += value.Length;
    }

    /// <summary>Writes a 32-bit length and the bytes.</summary>
    public void Data(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        Raw(value);
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_buffer[_position..]);
        _position += value.Length;
    }
}
