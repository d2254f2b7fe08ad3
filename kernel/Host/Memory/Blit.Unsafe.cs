// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>Structs as bytes: the one place that reinterprets them.</summary>
public static class Blit
{
    /// <summary>The bytes of a struct, writable.</summary>
    // SAFETY: one value of an unmanaged type is that many bytes, all of which may hold anything.
    public static Span<byte> AsBytes<T>(ref T value)
        where T : unmanaged => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref value, 1));

    /// <summary>The bytes of a struct.</summary>
    // SAFETY: one value of an unmanaged type is that many bytes.
    public static ReadOnlySpan<byte> AsReadOnlyBytes<T>(ref readonly T value)
        where T : unmanaged => MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in value, 1));

    /// <summary>The bytes of several structs.</summary>
    public static Span<byte> AsBytes<T>(Span<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values);

    /// <summary>The bytes of several structs.</summary>
    public static ReadOnlySpan<byte> AsBytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values);

    /// <summary>A struct's size in bytes.</summary>
    public static int SizeOf<T>()
        where T : unmanaged => Unsafe.SizeOf<T>();

    /// <summary>The struct that these bytes hold; they may be longer.</summary>
    public static T Read<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged => MemoryMarshal.Read<T>(bytes);

    /// <summary>Stores a struct's bytes; the destination may be longer.</summary>
    public static void Write<T>(Span<byte> bytes, in T value)
        where T : unmanaged => MemoryMarshal.Write(bytes, in value);
}
