// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>Options of IPPROTO_IP and IPPROTO_IPV6 (ip(7), ipv6(7)).</summary>
public abstract partial class InetSocket
{
    private const int DefaultHops = 64;
    private const int LoopbackMtu = 65536;

    // Options that are a number and change nothing on a loopback: they are kept so that they read back. The value is the default.
    private static readonly Dictionary<int, int> s_ipNumbers = new()
    {
        [IP_TOS] = 0,
        [IP_TTL] = DefaultHops,
        [IP_MTU_DISCOVER] = 1,
        [IP_RECVERR] = 0,
        [IP_RECVTTL] = 0,
        [IP_RECVTOS] = 0,
        [IP_MINTTL] = 0,
        [IP_BIND_ADDRESS_NO_PORT] = 0,
        [IP_MULTICAST_TTL] = 1,
        [IP_MULTICAST_LOOP] = 1,
        [IP_MULTICAST_ALL] = 1,
        [IP_RECVOPTS] = 0,
        [IP_RETOPTS] = 0,
        [IP_RECVORIGDSTADDR] = 0,
    };

    private static readonly Dictionary<int, int> s_ipv6Numbers = new()
    {
        [IPV6_UNICAST_HOPS] = DefaultHops,
        [IPV6_MULTICAST_HOPS] = 1,
        [IPV6_MULTICAST_LOOP] = 1,
        [IPV6_MTU_DISCOVER] = 1,
        [IPV6_RECVERR] = 0,
        [IPV6_RECVHOPLIMIT] = 0,
        [IPV6_RECVTCLASS] = 0,
        [IPV6_TCLASS] = 0,
        [IPV6_DONTFRAG] = 0,
        [IPV6_AUTOFLOWLABEL] = 1,
        [IPV6_MULTICAST_IF] = 0,
    };

    private Dictionary<(int Level, int Name), int>? _numbers;
    private bool _bindsFreely;

    /// <summary>IP_PKTINFO: datagrams tell where they were sent to.</summary>
    public bool TellsDestinationV4 { get; private set; }

    /// <summary>IPV6_RECVPKTINFO likewise.</summary>
    public bool TellsDestinationV6 { get; private set; }

    /// <summary>Whether an option that is a plain number is on: IP_RECVTTL, IP_RECVTOS, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS.</summary>
    /// <param name="level">IPPROTO_IP or IPPROTO_IPV6.</param>
    /// <param name="name">The option.</param>
    public bool Tells(int level, int name)
    {
        lock (Stack.Lock)
        {
            return _numbers is not null && _numbers.GetValueOrDefault((level, name)) != 0;
        }
    }

    /// <summary>What the headers of this socket's packets say.</summary>
    [RequiresLock("Stack.Lock")]
    private protected PacketTraits TraitsLocked(bool isV4)
    {
        if (_numbers is null)
        {
            return new PacketTraits(DefaultHops, 0);
        }

        int hops = isV4 ? _numbers.GetValueOrDefault((IPPROTO_IP, IP_TTL), DefaultHops) : _numbers.GetValueOrDefault((IPPROTO_IPV6, IPV6_UNICAST_HOPS), DefaultHops);
        int tos = isV4 ? _numbers.GetValueOrDefault((IPPROTO_IP, IP_TOS)) : _numbers.GetValueOrDefault((IPPROTO_IPV6, IPV6_TCLASS));
        return new PacketTraits(unchecked((byte)hops), unchecked((byte)tos));
    }

    /// <inheritdoc/>
    protected override Errno GetProtocolOption(Task task, int level, int name, Span<byte> value, out int length)
    {
        length = 0;
        switch (level, name)
        {
            case (IPPROTO_IP, IP_PKTINFO):
                return Put(value, TellsDestinationV4, out length);
            case (IPPROTO_IP, IP_FREEBIND or IP_TRANSPARENT):
                return Put(value, _bindsFreely, out length);
            case (IPPROTO_IP, IP_HDRINCL):
                return Put(value, false, out length);
            case (IPPROTO_IP, IP_OPTIONS):
                return Errno.None;
            case (IPPROTO_IP, IP_MULTICAST_IF):
                value[..4].Clear();
                length = 4;
                return Errno.None;
            case (IPPROTO_IP, IP_MTU):
            case (IPPROTO_IPV6, IPV6_MTU) when Family == AF_INET6:
                return HasPeer ? Put(value, LoopbackMtu, out length) : Errno.ENOTCONN;
            case (IPPROTO_IPV6, IPV6_V6ONLY) when Family == AF_INET6:
                return Put(value, IsV6Only, out length);
            case (IPPROTO_IPV6, IPV6_RECVPKTINFO) when Family == AF_INET6:
                return Put(value, TellsDestinationV6, out length);
            case (IPPROTO_IPV6, IPV6_FREEBIND) when Family == AF_INET6:
                return Put(value, _bindsFreely, out length);
            default:
                if (NumbersOf(level) is { } defaults && defaults.TryGetValue(name, out int number))
                {
                    return Put(value, _numbers is not null && _numbers.TryGetValue((level, name), out int set) ? set : number, out length);
                }

                return Errno.ENOPROTOOPT;
        }
    }

    /// <inheritdoc/>
    protected override Errno SetProtocolOption(Task task, int level, int name, ReadOnlySpan<byte> value)
    {
        if (NumbersOf(level) is null)
        {
            return Errno.ENOPROTOOPT;
        }

        // IPPROTO_IP takes single bytes too.
        if (value.Length < 1 || (level == IPPROTO_IPV6 && value.Length < sizeof(int)))
        {
            return Errno.EINVAL;
        }

        int number = value.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(value) : value[0];
        switch (level, name)
        {
            case (IPPROTO_IP, IP_PKTINFO):
                TellsDestinationV4 = number != 0;
                return Errno.None;
            case (IPPROTO_IPV6, IPV6_RECVPKTINFO):
                TellsDestinationV6 = number != 0;
                return Errno.None;
            case (IPPROTO_IP, IP_TRANSPARENT) when !task.Credentials.Has(Capability.NetAdmin, Network.Owner!):
                return Errno.EPERM;
            case (IPPROTO_IP, IP_FREEBIND or IP_TRANSPARENT):
            case (IPPROTO_IPV6, IPV6_FREEBIND):
                _bindsFreely = number != 0;
                return Errno.None;
            case (IPPROTO_IPV6, IPV6_V6ONLY):
                if (Local.Port != 0)
                {
                    return Errno.EINVAL;
                }

                IsV6Only = number != 0;
                return Errno.None;
            case (IPPROTO_IP, IP_TTL) when number is not (-1 or (>= 1 and <= 255)):
            case (IPPROTO_IP, IP_MULTICAST_TTL) when number is < -1 or > 255:
            case (IPPROTO_IPV6, IPV6_UNICAST_HOPS or IPV6_MULTICAST_HOPS) when number is < -1 or > 255:
            case (IPPROTO_IP, IP_MTU_DISCOVER) when number is < 0 or > 5:
                return Errno.EINVAL;
            case (IPPROTO_IP, IP_ADD_MEMBERSHIP or IP_DROP_MEMBERSHIP or IP_MULTICAST_IF):
            case (IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP or IPV6_DROP_MEMBERSHIP):
                // Groups need an interface that can do multicast; the loopback cannot.
                return Errno.ENODEV;
            default:
                if (!NumbersOf(level)!.TryGetValue(name, out int fallback))
                {
                    return Errno.ENOPROTOOPT;
                }

                lock (Stack.Lock)
                {
                    (_numbers ??= [])[(level, name)] = number == -1 && fallback > 1 ? fallback : name == IP_TOS && level == IPPROTO_IP ? number & 0xff : number;
                    return Errno.None;
                }
        }
    }

    private bool HasPeer
    {
        get
        {
            lock (Stack.Lock)
            {
                return HasPeerLocked;
            }
        }
    }

    private Dictionary<int, int>? NumbersOf(int level) => level == IPPROTO_IP ? s_ipNumbers : level == IPPROTO_IPV6 && Family == AF_INET6 ? s_ipv6Numbers : null;
}
