// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>An IPv6 address, or an IPv4 one in its mapped form (::ffff:a.b.c.d).</summary>
/// <param name="High">The first eight bytes, in reading order.</param>
/// <param name="Low">The last eight bytes.</param>
public readonly record struct InetAddress(ulong High, ulong Low)
{
    private const ulong MappedPrefix = 0xffff_0000_0000;

    /// <summary>::.</summary>
    public static InetAddress AnyV6 => default;

    /// <summary>0.0.0.0.</summary>
    public static InetAddress AnyV4 => FromV4(0);

    /// <summary>::1.</summary>
    public static InetAddress LoopbackV6 => new(0, 1);

    /// <summary>127.0.0.1.</summary>
    public static InetAddress LoopbackV4 => FromV4(0x7f000001);

    /// <summary>Whether it is an IPv4 address.</summary>
    public bool IsV4 => High == 0 && (Low & 0xffff_ffff_0000_0000) == MappedPrefix;

    /// <summary>The IPv4 address, in reading order.</summary>
    public uint V4 => unchecked((uint)Low);

    /// <summary>Whether it stands for all addresses of its family.</summary>
    public bool IsAny => this == AnyV6 || this == AnyV4;

    /// <summary>Whether it is one of this machine's own: 127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsV4 ? V4 >> 24 == 127 : this == LoopbackV6;

    /// <summary>Whether it is a group (224.0.0.0/4, ff00::/8).</summary>
    public bool IsMulticast => IsV4 ? V4 >> 28 == 14 : High >> 56 == 0xff;

    /// <summary>255.255.255.255.</summary>
    public bool IsBroadcast => IsV4 && V4 == uint.MaxValue;

    /// <summary>The mapped form of an IPv4 address in reading order.</summary>
    public static InetAddress FromV4(uint address) => new(0, MappedPrefix | address);
}

/// <summary>An address and a port.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port, in reading order.</param>
public readonly record struct InetEndpoint(InetAddress Address, ushort Port)
{
    private const int V4Bytes = 16, V6Bytes = 28, V6MinimumBytes = 24;

    /// <summary>Reads struct sockaddr_in or sockaddr_in6.</summary>
    /// <param name="address">The address.</param>
    /// <param name="socketFamily">AF_INET or AF_INET6.</param>
    /// <param name="endpoint">What it says.</param>
    /// <returns>None; EINVAL when it is too short; EAFNOSUPPORT for another family.</returns>
    public static Errno Parse(in SocketAddress address, int socketFamily, out InetEndpoint endpoint)
    {
        endpoint = default;
        if (address.Length < (socketFamily == AF_INET ? V4Bytes : V6MinimumBytes))
        {
            return address.Length >= 2 && address.Family is not (AF_INET or AF_INET6 or AF_UNSPEC) ? Errno.EAFNOSUPPORT : Errno.EINVAL;
        }

        ReadOnlySpan<byte> bytes = address.Bytes;
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (address.Family != socketFamily)
        {
            return Errno.EAFNOSUPPORT;
        }

        endpoint = socketFamily == AF_INET
            ? new InetEndpoint(InetAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])), port)
            : new InetEndpoint(new InetAddress(BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[16..])), port);
        return Errno.None;
    }

    /// <summary>As a socket of this family shows it.</summary>
    public SocketAddress ToSocketAddress(int family)
    {
        if (family == AF_INET)
        {
            SocketAddress v4 = SocketAddress.Create(AF_INET, V4Bytes);
            BinaryPrimitives.WriteUInt16BigEndian(v4.Writable[2..], Port);
            BinaryPrimitives.WriteUInt32BigEndian(v4.Writable[4..], Address.V4);
            return v4;
        }

        SocketAddress v6 = SocketAddress.Create(AF_INET6, V6Bytes);
        BinaryPrimitives.WriteUInt16BigEndian(v6.Writable[2..], Port);
        BinaryPrimitives.WriteUInt64BigEndian(v6.Writable[8..], Address.High);
        BinaryPrimitives.WriteUInt64BigEndian(v6.Writable[16..], Address.Low);
        return v6;
    }
}
