// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Gofer.Protocol;

/// <summary>
/// Reads fields from bytes that a hostile peer may have written. The first fault is kept: every later read gives zero or
/// nothing, so a decoder reads all its fields and asks <see cref="AtEnd"/> once.
/// </summary>
/// <param name="bytes">The bytes to read.</param>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether something was cut short or passed a limit.</summary>
    public bool Failed { get; private set; }

    /// <summary>How many bytes are left.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Whether everything was read, nothing is left and nothing failed.</summary>
    public readonly bool AtEnd => !Failed && _rest.IsEmpty;

    /// <summary>Keeps a fault.</summary>
    public void Fail()
    {
        Failed = true;
        _rest = default;
    }

    /// <summary>Reads a byte.</summary>
    public byte U8()
    {
        ReadOnlySpan<byte> bytes = Take(1);
        return bytes.IsEmpty ? (byte)0 : bytes[0];
    }

    /// <summary>Reads 16 bits.</summary>
    public ushort U16()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(ushort));
        return bytes.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    /// <summary>Reads 32 bits.</summary>
    public uint U32()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(uint));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>Reads 64 bits.</summary>
    public ulong U64()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(ulong));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>Reads 64 bits with a sign.</summary>
    public long I64() => unchecked((long)U64()); // the same 64 bits

    /// <summary>Reads a 16-bit length and that many bytes, none of them NUL.</summary>
    /// <param name="maximum">The most bytes allowed.</param>
    public ReadOnlySpan<byte> String(int maximum)
    {
        int length = U16();
        ReadOnlySpan<byte> bytes = length > maximum ? Refuse() : Take(length);
        return bytes.Contains((byte)0) ? Refuse() : bytes;
    }

    /// <summary>Reads a 32-bit length and that many bytes.</summary>
    /// <param name="maximum">The most bytes allowed.</param>
    public ReadOnlySpan<byte> Data(int maximum)
    {
        uint length = U32();
        return length > (uint)maximum ? Refuse() : Take((int)length);
    }

    /// <summary>Reads a 16-bit count.</summary>
    /// <param name="maximum">The highest allowed.</param>
    public int Count(int maximum)
    {
        int count = U16();
        if (count > maximum)
        {
            Fail();
            return 0;
        }

        return count;
    }

    /// <summary>Reads so many elements of one size.</summary>
    public ReadOnlySpan<byte> Take(int count, int elementSize) => Take(count * elementSize);

    /// <summary>Everything left, for a list that has still to find its own end.</summary>
    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Reads so many bytes.</summary>
    internal ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            return Refuse();
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private ReadOnlySpan<byte> Refuse()
    {
        Fail();
        return default;
    }
}
