// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Sockets.Inet;
using static CVisor.Abi.Linux.NetlinkConstants;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Netlink;

/// <summary>Answers rtnetlink(7) requests for a namespace that has a loopback and nothing else.</summary>
internal static class RouteRequests
{
    private const int LinkBytes = 16, AddressBytes = 8, RouteBytes = 12;

    /// <summary>Answers a request that asks.</summary>
    /// <param name="type">RTM_GET*.</param>
    /// <param name="isDump">Whether all are asked for.</param>
    /// <param name="body">What follows the header.</param>
    /// <param name="writer">Gets the answer.</param>
    /// <returns>None, or the errno to answer.</returns>
    internal static Errno Get(ushort type, bool isDump, ReadOnlySpan<byte> body, NetlinkWriter writer)
    {
        byte family = body.Length > 0 ? body[0] : (byte)0;
        switch (type)
        {
            case RTM_GETLINK:
                if (!isDump && !NamesLoopback(body))
                {
                    return Errno.ENODEV;
                }

                WriteLink(writer, isDump);
                break;
            case RTM_GETADDR:
                if (!isDump)
                {
                    return Errno.EOPNOTSUPP;
                }

                WriteAddresses(writer, family);
                break;
            case RTM_GETROUTE:
                if (!isDump)
                {
                    return GetRoute(body, writer);
                }

                WriteRoutes(writer, family);
                break;
            case RTM_GETNEIGH or RTM_GETRULE or RTM_GETQDISC or RTM_GETADDRLABEL or RTM_GETNETCONF when isDump:
                // There are none.
                break;
            default:
                return Errno.EOPNOTSUPP;
        }

        if (isDump)
        {
            writer.Done();
        }

        return Errno.None;
    }

    /// <summary>Answers a request that changes something: the loopback is up with its addresses already, and there is nothing else to change.</summary>
    internal static Errno Change(ushort type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case RTM_NEWLINK or RTM_SETLINK:
                return body.Length < LinkBytes ? Errno.EINVAL : NamesLoopback(body) ? Errno.None : Errno.EOPNOTSUPP;
            case RTM_NEWADDR:
                return body.Length < AddressBytes ? Errno.EINVAL
                    : BinaryPrimitives.ReadInt32LittleEndian(body[4..]) != InterfaceIoctl.LoopbackIndex ? Errno.ENODEV
                    : FindAttribute(body[AddressBytes..], IFA_LOCAL) is { Length: 4 } local && local[0] != 127 ? Errno.EOPNOTSUPP
                    : Errno.None;
            default:
                return Errno.EOPNOTSUPP;
        }
    }

    private static bool NamesLoopback(ReadOnlySpan<byte> body)
    {
        if (body.Length < LinkBytes)
        {
            return false;
        }

        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        ReadOnlySpan<byte> name = FindAttribute(body[LinkBytes..], IFLA_IFNAME);
        return index == InterfaceIoctl.LoopbackIndex || (index == 0 && (name.SequenceEqual("lo\0"u8) || name.SequenceEqual("lo"u8)));
    }

    private static ReadOnlySpan<byte> FindAttribute(ReadOnlySpan<byte> attributes, ushort wanted)
    {
        while (attributes.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            ushort type = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]);
            if (length < 4 || length > attributes.Length)
            {
                return default;
            }

            if ((type & 0x3fff) == wanted)
            {
                return attributes[4..length];
            }

            int next = (length + 3) & ~3;
            attributes = next >= attributes.Length ? default : attributes[next..];
        }

        return default;
    }

    private static void WriteLink(NetlinkWriter writer, bool isDump)
    {
        ReadOnlySpan<byte> noAddress = stackalloc byte[6];
        writer.Begin(RTM_NEWLINK, isDump ? NLM_F_MULTI : (ushort)0);
        writer.Short(0);
        writer.Short(InterfaceIoctl.LoopbackHardware);
        writer.Word(InterfaceIoctl.LoopbackIndex);
        writer.Word(InterfaceIoctl.LoopbackFlags | 0x10000); // IFF_LOWER_UP
        writer.Word(0);
        writer.Attribute(IFLA_IFNAME, "lo\0"u8);
        writer.Attribute(IFLA_TXQLEN, 1000);
        writer.Attribute(IFLA_OPERSTATE, [0]);
        writer.Attribute(IFLA_LINKMODE, [0]);
        writer.Attribute(IFLA_MTU, InterfaceIoctl.LoopbackMtu);
        writer.Attribute(IFLA_GROUP, 0);
        writer.Attribute(IFLA_QDISC, "noqueue\0"u8);
        writer.Attribute(IFLA_ADDRESS, noAddress);
        writer.Attribute(IFLA_BROADCAST, noAddress);
        writer.End();
    }

    private static void WriteAddresses(NetlinkWriter writer, byte family)
    {
        if (family is AF_UNSPEC or AF_INET)
        {
            ReadOnlySpan<byte> address = [127, 0, 0, 1];
            BeginAddress(writer, AF_INET, 8);
            writer.Attribute(IFA_ADDRESS, address);
            writer.Attribute(IFA_LOCAL, address);
            writer.Attribute(IFA_LABEL, "lo\0"u8);
            EndAddress(writer);
        }

        if (family is AF_UNSPEC or AF_INET6)
        {
            BeginAddress(writer, AF_INET6, 128);
            writer.Attribute(IFA_ADDRESS, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            EndAddress(writer);
        }
    }

    private static void BeginAddress(NetlinkWriter writer, byte family, byte prefixBits)
    {
        writer.Begin(RTM_NEWADDR, NLM_F_MULTI);
        writer.Byte(family);
        writer.Byte(prefixBits);
        writer.Byte(IFA_F_PERMANENT);
        writer.Byte(RT_SCOPE_HOST);
        writer.Word(InterfaceIoctl.LoopbackIndex);
    }

    private static void EndAddress(NetlinkWriter writer)
    {
        // struct ifa_cacheinfo: valid for ever.
        ReadOnlySpan<byte> forever = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        writer.Attribute(IFA_FLAGS, IFA_F_PERMANENT);
        writer.Attribute(IFA_CACHEINFO, forever);
        writer.End();
    }

    private static void WriteRoutes(NetlinkWriter writer, byte family)
    {
        if (family is AF_UNSPEC or AF_INET)
        {
            WriteRoute(writer, AF_INET, 8, [127, 0, 0, 0], NLM_F_MULTI);
            WriteRoute(writer, AF_INET, 32, [127, 0, 0, 1], NLM_F_MULTI);
        }

        if (family is AF_UNSPEC or AF_INET6)
        {
            WriteRoute(writer, AF_INET6, 128, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], NLM_F_MULTI);
        }
    }

    private static void WriteRoute(NetlinkWriter writer, byte family, byte prefixBits, ReadOnlySpan<byte> destination, ushort flags)
    {
        writer.Begin(RTM_NEWROUTE, flags);
        writer.Byte(family);
        writer.Byte(prefixBits);
        writer.Byte(0);
        writer.Byte(0);
        writer.Byte(RT_TABLE_LOCAL);
        writer.Byte(RTPROT_KERNEL);
        writer.Byte(RT_SCOPE_HOST);
        writer.Byte(RTN_LOCAL);
        writer.Word(0);
        writer.Attribute(RTA_TABLE, RT_TABLE_LOCAL);
        writer.Attribute(RTA_DST, destination);
        if (family == AF_INET)
        {
            writer.Attribute(RTA_PREFSRC, [127, 0, 0, 1]);
        }

        writer.Attribute(RTA_OIF, InterfaceIoctl.LoopbackIndex);
        writer.End();
    }

    private static Errno GetRoute(ReadOnlySpan<byte> body, NetlinkWriter writer)
    {
        if (body.Length < RouteBytes)
        {
            return Errno.EINVAL;
        }

        ReadOnlySpan<byte> destination = FindAttribute(body[RouteBytes..], RTA_DST);
        bool isLoopback = (body[0], destination.Length) switch
        {
            (AF_INET, 4) => destination[0] == 127,
            (AF_INET6, 16) => destination[15] == 1 && destination[..15].IndexOfAnyExcept((byte)0) < 0,
            _ => false,
        };
        if (!isLoopback)
        {
            return Errno.ENETUNREACH;
        }

        WriteRoute(writer, body[0], (byte)(destination.Length * 8), destination, 0);
        return Errno.None;
    }
}
