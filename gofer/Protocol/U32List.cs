// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Gofer.Protocol;

/// <summary>Counted 32-bit numbers as they travel.</summary>
/// <param name="bytes">Four bytes for each.</param>
public readonly ref struct U32List(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>How many there are.</summary>
    public int Count => _bytes.Length / sizeof(uint);

    /// <summary>The size on the wire in bytes.</summary>
    public int WireLength => sizeof(ushort) + _bytes.Length;

    /// <summary>One of them.</summary>
    public uint this[int index] => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(index * sizeof(uint))..]);

    /// <summary>Makes a list of numbers.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="scratch">Four bytes for each; the list lives there.</param>
    public static U32List Of(ReadOnlySpan<uint> values, Span<byte> scratch)
    {
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(scratch[(i * sizeof(uint))..], values[i]);
        }

        return new U32List(scratch[..(values.Length * sizeof(uint))]);
    }

    /// <summary>Reads at most so many; a fault is kept by the reader.</summary>
    public static U32List Read(scoped ref WireReader reader, int maximum) => new(reader.Take(reader.Count(maximum), sizeof(uint)));

    /// <summary>Writes them.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.U16((ushort)Count);
        writer.Raw(_bytes);
    }
}
