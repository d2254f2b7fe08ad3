// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>The ioctls about interfaces that any socket answers (netdevice(7)), for the loopback.</summary>
internal static class InterfaceIoctl
{
    /// <summary>The loopback's index.</summary>
    internal const int LoopbackIndex = 1;

    /// <summary>Its MTU in bytes.</summary>
    internal const int LoopbackMtu = 65536;

    /// <summary>IFF_UP, IFF_LOOPBACK, IFF_RUNNING.</summary>
    internal const int LoopbackFlags = 0x49;

    /// <summary>ARPHRD_LOOPBACK.</summary>
    internal const int LoopbackHardware = 772;

    private const int NameBytes = 16, RequestBytes = 40;

    /// <summary>Runs a request; ENOTTY when it is none of these.</summary>
    internal static Errno Run(Task task, NetworkStack stack, uint request, UserPtr argument)
    {
        _ = stack;
        return request switch
        {
            SIOCGIFCONF => ListInterfaces(task, argument),
            SIOCGIFNAME => NameOfIndex(task, argument),
            SIOCGIFFLAGS or SIOCGIFADDR or SIOCGIFDSTADDR or SIOCGIFBRDADDR or SIOCGIFNETMASK or SIOCGIFMETRIC or SIOCGIFMTU or SIOCGIFHWADDR or SIOCGIFINDEX or SIOCGIFTXQLEN or SIOCGIFMAP
                => Query(task, request, argument),
            SIOCSIFFLAGS or SIOCSIFADDR => Change(task, request, argument),
            SIOCETHTOOL => Errno.EOPNOTSUPP,
            _ => Errno.ENOTTY,
        };
    }

    private static Errno Query(Task task, uint request, UserPtr argument)
    {
        Span<byte> data = stackalloc byte[RequestBytes];
        Errno error = ReadLoopback(task, argument, data);
        if (error != Errno.None)
        {
            return error;
        }

        Span<byte> value = data[NameBytes..];
        value.Clear();
        switch (request)
        {
            case SIOCGIFFLAGS:
                BinaryPrimitives.WriteInt16LittleEndian(value, LoopbackFlags);
                break;
            case SIOCGIFADDR or SIOCGIFDSTADDR:
                PutAddress(value, 0x7f000001);
                break;
            case SIOCGIFBRDADDR:
                PutAddress(value, 0);
                break;
            case SIOCGIFNETMASK:
                PutAddress(value, 0xff000000);
                break;
            case SIOCGIFMTU:
                BinaryPrimitives.WriteInt32LittleEndian(value, LoopbackMtu);
                break;
            case SIOCGIFHWADDR:
                BinaryPrimitives.WriteInt16LittleEndian(value, LoopbackHardware);
                break;
            case SIOCGIFINDEX:
                BinaryPrimitives.WriteInt32LittleEndian(value, LoopbackIndex);
                break;
            case SIOCGIFTXQLEN:
                BinaryPrimitives.WriteInt32LittleEndian(value, 1000);
                break;
        }

        return task.Memory.CopyOut(argument, data);
    }

    /// <summary>The loopback is always up with its address: what asks for that is done already.</summary>
    private static Errno Change(Task task, uint request, UserPtr argument)
    {
        Span<byte> data = stackalloc byte[RequestBytes];
        Errno error = ReadLoopback(task, argument, data);
        if (error != Errno.None)
        {
            return error;
        }

        if (!task.Credentials.Has(Capability.NetAdmin, task.NetworkNamespace.Owner!))
        {
            return Errno.EPERM;
        }

        bool isSoAlready = request == SIOCSIFFLAGS
            ? (BinaryPrimitives.ReadInt16LittleEndian(data[NameBytes..]) & 1) != 0
            : BinaryPrimitives.ReadUInt32BigEndian(data[(NameBytes + 4)..]) == 0x7f000001;
        return isSoAlready ? Errno.None : Errno.EOPNOTSUPP;
    }

    private static Errno ListInterfaces(Task task, UserPtr argument)
    {
        // struct ifconf: a length in bytes, padding, and a pointer to an array of struct ifreq; without the pointer the length is asked for.
        Span<byte> header = stackalloc byte[16];
        Errno error = task.Memory.CopyIn(argument, header);
        if (error != Errno.None)
        {
            return error;
        }

        int room = BinaryPrimitives.ReadInt32LittleEndian(header);
        UserPtr list = new(BinaryPrimitives.ReadUInt64LittleEndian(header[8..]));
        int length = RequestBytes;
        if (!list.IsNull)
        {
            length = room >= RequestBytes ? RequestBytes : 0;
            Span<byte> data = stackalloc byte[RequestBytes];
            data.Clear();
            "lo"u8.CopyTo(data);
            PutAddress(data[NameBytes..], 0x7f000001);
            error = task.Memory.CopyOut(list, data[..length]);
        }

        BinaryPrimitives.WriteInt32LittleEndian(header, length);
        return error != Errno.None ? error : task.Memory.CopyOut(argument, header);
    }

    private static Errno NameOfIndex(Task task, UserPtr argument)
    {
        Span<byte> data = stackalloc byte[RequestBytes];
        Errno error = task.Memory.CopyIn(argument, data);
        if (error != Errno.None)
        {
            return error;
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(data[NameBytes..]) != LoopbackIndex)
        {
            return Errno.ENODEV;
        }

        data[..NameBytes].Clear();
        "lo"u8.CopyTo(data);
        return task.Memory.CopyOut(argument, data);
    }

    private static Errno ReadLoopback(Task task, UserPtr argument, Span<byte> data)
    {
        Errno error = task.Memory.CopyIn(argument, data);
        return error != Errno.None ? error : data.StartsWith("lo\0"u8) ? Errno.None : Errno.ENODEV;
    }

    private static void PutAddress(Span<byte> value, uint address)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(value, AF_INET);
        BinaryPrimitives.WriteUInt32BigEndian(value[4..], address);
    }
}
