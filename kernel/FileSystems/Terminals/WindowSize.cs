// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.FileSystems.Terminals;

/// <summary>struct winsize (ioctl_tty(2)).</summary>
/// <param name="Rows">Lines.</param>
/// <param name="Columns">Characters a line.</param>
/// <param name="PixelWidth">Width in pixels.</param>
/// <param name="PixelHeight">Height in pixels.</param>
public readonly record struct WindowSize(ushort Rows, ushort Columns, ushort PixelWidth, ushort PixelHeight)
{
    /// <summary>The size in guest memory in bytes.</summary>
    public const int Size = 8;

    /// <summary>From memory.</summary>
    public static WindowSize Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(from),
        BinaryPrimitives.ReadUInt16LittleEndian(from[2..]),
        BinaryPrimitives.ReadUInt16LittleEndian(from[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(from[6..]));

    /// <summary>To memory.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, Rows);
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], Columns);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], PixelWidth);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], PixelHeight);
    }
}
