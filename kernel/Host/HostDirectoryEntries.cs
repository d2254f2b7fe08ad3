// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Host;

/// <summary>Reads what getdents64(2) stored, entry by entry.</summary>
/// <param name="raw">The bytes stored; whole entries.</param>
public ref struct HostDirectoryEntries(ReadOnlySpan<byte> raw)
{
    // struct linux_dirent64: ino[8] off[8] reclen[2] type[1] name.
    private const int OffsetPlace = 8, LengthPlace = 16, TypePlace = 18, NamePlace = 19;

    private ReadOnlySpan<byte> _rest = raw;
    private ReadOnlySpan<byte> _entry;

    /// <summary>The inode number.</summary>
    public readonly ulong Inode => BinaryPrimitives.ReadUInt64LittleEndian(_entry);

    /// <summary>Where the directory is read on behind the entry: opaque.</summary>
    public readonly long Next => BinaryPrimitives.ReadInt64LittleEndian(_entry[OffsetPlace..]);

    /// <summary>DT_* of readdir(3).</summary>
    public readonly byte Type => _entry[TypePlace];

    /// <summary>The name.</summary>
    public readonly ReadOnlySpan<byte> Name
    {
        get
        {
            ReadOnlySpan<byte> name = _entry[NamePlace..];
            return name[..name.IndexOf((byte)0)];
        }
    }

    /// <summary>Goes to the next entry; false behind the last.</summary>
    public bool MoveNext()
    {
        if (_rest.Length <= NamePlace)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest[LengthPlace..]);
        _entry = _rest[..length];
        _rest = _rest[length..];
        return true;
    }
}
