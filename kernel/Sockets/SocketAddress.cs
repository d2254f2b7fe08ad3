// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CVisor.Abi.Linux;

namespace CVisor.Sockets;

/// <summary>An address as the guest has it (struct sockaddr_storage): its bytes and how many count.</summary>
public struct SocketAddress
{
    /// <summary>The longest address in bytes.</summary>
    public const int MaximumBytes = 128;

    private Storage _storage;

    /// <summary>An address of these bytes.</summary>
    public SocketAddress(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_storage);
        Length = bytes.Length;
    }

    /// <summary>How many bytes count; 0 for no address.</summary>
    public int Length { get; private set; }

    /// <summary>The family; <see cref="SocketConstants.AF_UNSPEC"/> when it is too short to have one.</summary>
    public readonly int Family => Length >= 2 ? BinaryPrimitives.ReadUInt16LittleEndian(Bytes) : SocketConstants.AF_UNSPEC;

    /// <summary>The bytes.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_storage)[..Length];

    /// <summary>An address of so many zero bytes with a family, to be filled in.</summary>
    public static SocketAddress Create(int family, int length)
    {
        SocketAddress address = default;
        address.Length = length;
        BinaryPrimitives.WriteUInt16LittleEndian(address.Writable, (ushort)family);
        return address;
    }

    /// <summary>The bytes, to be filled in.</summary>
    [UnscopedRef]
    public Span<byte> Writable => ((Span<byte>)_storage)[..Length];

    [InlineArray(MaximumBytes)]
    private struct Storage
    {
        private byte _first;
    }
}
