// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Gofer.Protocol;

/// <summary>The header of every message: size[4] type[1] tag[2], little-endian.</summary>
public static class Frame
{
    /// <summary>The header's size in bytes.</summary>
    public const int HeaderSize = 7;

    /// <summary>The tag of a version request.</summary>
    public const ushort NoTag = ushort.MaxValue;

    /// <summary>The fid that is none.</summary>
    public const uint NoFid = uint.MaxValue;

    /// <summary>Splits a datagram into header and body; false when it is shorter than its header, or longer or shorter than the header says.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> datagram, out byte type, out ushort tag, out ReadOnlySpan<byte> body)
    {
        if (datagram.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(datagram) != (uint)datagram.Length)
        {
            type = 0;
            tag = 0;
            body = default;
            return false;
        }

        type = datagram[4];
        tag = BinaryPrimitives.ReadUInt16LittleEndian(datagram[5..]);
        body = datagram[HeaderSize..];
        return true;
    }
}
