// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Sockets;
using CVisor.Sockets.Inet;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Syscalls.Support;

/// <summary>Control messages of internet sockets (ip(7), ipv6(7), socket(7)): what a datagram's header said, where it went to and when it came.</summary>
internal static class InternetMessages
{
    private const int LoopbackIndex = 1;
    private const long NsPerSecond = 1_000_000_000, NsPerMicrosecond = 1000;

    /// <summary>Reads one message of a sender (ip_cmsg_send(), ip6_datagram_send_ctl()).</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="level">Its level; another than the socket's own is not looked at.</param>
    /// <param name="type">Its type.</param>
    /// <param name="data">Its data.</param>
    /// <param name="request">Gets what it says.</param>
    /// <returns>None, or EINVAL.</returns>
    internal static Errno Read(InetSocket socket, int level, int type, ReadOnlySpan<byte> data, ref SendRequest request)
    {
        if (level == SOL_SOCKET)
        {
            return type is SCM_RIGHTS or SCM_CREDENTIALS ? Errno.None : Errno.EINVAL;
        }

        if (socket.Type != SOCK_DGRAM)
        {
            return Errno.None;
        }

        if (level == IPPROTO_IP && socket.Family == AF_INET)
        {
            switch (type)
            {
                case IP_TTL:
                    return ReadNumber(data, 1, ref request.HopLimit);
                case IP_TOS when data.Length == 1:
                    request.TrafficClass = data[0];
                    return Errno.None;
                case IP_TOS:
                    return ReadNumber(data, 0, ref request.TrafficClass);
                case IP_PKTINFO:
                    return data.Length == 12 ? Errno.None : Errno.EINVAL;
                case IP_RETOPTS:
                    return Errno.None;
                default:
                    return Errno.EINVAL;
            }
        }

        if (level == IPPROTO_IPV6 && socket.Family == AF_INET6)
        {
            switch (type)
            {
                case IPV6_HOPLIMIT:
                    return ReadNumber(data, -1, ref request.HopLimit);
                case IPV6_TCLASS:
                    return ReadNumber(data, -1, ref request.TrafficClass);
                case IPV6_PKTINFO:
                    return data.Length >= 20 ? Errno.None : Errno.EINVAL;
                case IPV6_DONTFRAG:
                    return data.Length == sizeof(int) ? Errno.None : Errno.EINVAL;
                default:
                    return Errno.EINVAL;
            }
        }

        return Errno.None;
    }

    /// <summary>Writes what a receiver asked for, in Linux's order.</summary>
    internal static Errno Write(Task task, InetSocket socket, in ReceiveRequest request, UserPtr pointer, ulong room, ref ulong written, ref uint flags)
    {
        Span<byte> data = stackalloc byte[20];
        Errno error = Errno.None;
        if (request.ArrivalNs != 0)
        {
            bool inNs = socket.Options.TimestampsInNs;
            long fraction = request.ArrivalNs % NsPerSecond;
            BinaryPrimitives.WriteInt64LittleEndian(data, request.ArrivalNs / NsPerSecond);
            BinaryPrimitives.WriteInt64LittleEndian(data[8..], inNs ? fraction : fraction / NsPerMicrosecond);
            error = ControlMessages.Put(task, pointer, room, ref written, SOL_SOCKET, inNs ? SCM_TIMESTAMPNS : SCM_TIMESTAMP, data[..16], ref flags);
        }

        if (error != Errno.None || request.Destination is not { Port: not 0 } destination)
        {
            return error;
        }

        if (socket.TellsDestinationV6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(data, destination.Address.High);
            BinaryPrimitives.WriteUInt64BigEndian(data[8..], destination.Address.Low);
            BinaryPrimitives.WriteInt32LittleEndian(data[16..], LoopbackIndex);
            error = ControlMessages.Put(task, pointer, room, ref written, IPPROTO_IPV6, IPV6_PKTINFO, data, ref flags);
        }

        if (!destination.Address.IsV4)
        {
            error = PutNumber(task, socket, error, IPV6_RECVHOPLIMIT, IPPROTO_IPV6, IPV6_HOPLIMIT, request.Traits.HopLimit, sizeof(int), pointer, room, ref written, ref flags);
            return PutNumber(task, socket, error, IPV6_RECVTCLASS, IPPROTO_IPV6, IPV6_TCLASS, request.Traits.TrafficClass, sizeof(int), pointer, room, ref written, ref flags);
        }

        if (error == Errno.None && socket.TellsDestinationV4)
        {
            BinaryPrimitives.WriteInt32LittleEndian(data, LoopbackIndex);
            BinaryPrimitives.WriteUInt32BigEndian(data[4..], destination.Address.V4);
            BinaryPrimitives.WriteUInt32BigEndian(data[8..], destination.Address.V4);
            error = ControlMessages.Put(task, pointer, room, ref written, IPPROTO_IP, IP_PKTINFO, data[..12], ref flags);
        }

        error = PutNumber(task, socket, error, IP_RECVTTL, IPPROTO_IP, IP_TTL, request.Traits.HopLimit, sizeof(int), pointer, room, ref written, ref flags);
        return PutNumber(task, socket, error, IP_RECVTOS, IPPROTO_IP, IP_TOS, request.Traits.TrafficClass, sizeof(byte), pointer, room, ref written, ref flags);
    }

    private static Errno PutNumber(Task task, InetSocket socket, Errno error, int option, int level, int type, byte number, int size, UserPtr pointer, ulong room, ref ulong written, ref uint flags)
    {
        if (error != Errno.None || !socket.Tells(level, option))
        {
            return error;
        }

        Span<byte> data = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        return ControlMessages.Put(task, pointer, room, ref written, level, type, data[..size], ref flags);
    }

    /// <summary>Reads an int from a least value to 255; -1 means the socket's own.</summary>
    private static Errno ReadNumber(ReadOnlySpan<byte> data, int least, ref byte? number)
    {
        if (data.Length != sizeof(int))
        {
            return Errno.EINVAL;
        }

        int value = BinaryPrimitives.ReadInt32LittleEndian(data);
        if (value < least || value > byte.MaxValue)
        {
            return Errno.EINVAL;
        }

        number = value < 0 ? null : (byte)value;
        return Errno.None;
    }
}
