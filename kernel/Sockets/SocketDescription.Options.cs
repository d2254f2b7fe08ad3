// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>getsockopt(2) and setsockopt(2) of SOL_SOCKET (net/core/sock.c).</summary>
public abstract partial class SocketDescription
{
    /// <summary>The longest option value in bytes.</summary>
    public const int MaximumOptionBytes = 512;

    private const int MinimumSendBytes = 4608, MinimumReceiveBytes = 2304;

    /// <summary>Reads an option.</summary>
    /// <param name="task">Who asks.</param>
    /// <param name="level">SOL_SOCKET, IPPROTO_TCP...</param>
    /// <param name="name">SO_*, TCP_*...</param>
    /// <param name="value">Room for <see cref="MaximumOptionBytes"/>.</param>
    /// <param name="length">How much of it the value takes.</param>
    /// <returns>None, or ENOPROTOOPT.</returns>
    public Errno GetOption(Task task, int level, int name, Span<byte> value, out int length)
    {
        length = 0;
        return level == SOL_SOCKET ? GetSocketOption(task, name, value, out length) : GetProtocolOption(task, level, name, value, out length);
    }

    /// <summary>Sets an option.</summary>
    /// <param name="task">Who asks.</param>
    /// <param name="level">SOL_SOCKET, IPPROTO_TCP...</param>
    /// <param name="name">SO_*, TCP_*...</param>
    /// <param name="value">The value as the guest gave it.</param>
    /// <returns>None; ENOPROTOOPT; EINVAL for a short or impossible value; EPERM.</returns>
    public Errno SetOption(Task task, int level, int name, ReadOnlySpan<byte> value) =>
        level == SOL_SOCKET ? SetSocketOption(task, name, value) : SetProtocolOption(task, level, name, value);

    /// <summary>Options of the protocol's own levels.</summary>
    protected virtual Errno GetProtocolOption(Task task, int level, int name, Span<byte> value, out int length)
    {
        length = 0;
        return Family == AF_UNIX ? Errno.EOPNOTSUPP : Errno.ENOPROTOOPT;
    }

    /// <summary>Options of the protocol's own levels.</summary>
    protected virtual Errno SetProtocolOption(Task task, int level, int name, ReadOnlySpan<byte> value) =>
        Family == AF_UNIX ? Errno.EOPNOTSUPP : Errno.ENOPROTOOPT;

    /// <summary>A buffer's size was set, twice what was asked for.</summary>
    protected virtual void OnBufferChanged()
    {
    }

    /// <summary>Stores an int.</summary>
    protected static Errno Put(Span<byte> value, int number, out int length)
    {
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        length = sizeof(int);
        return Errno.None;
    }

    /// <summary>Stores a truth value as an int.</summary>
    protected static Errno Put(Span<byte> value, bool isOn, out int length) => Put(value, isOn ? 1 : 0, out length);

    private Errno GetSocketOption(Task task, int name, Span<byte> value, out int length)
    {
        length = 0;
        switch (name)
        {
            case SO_DEBUG:
            case SO_RXQ_OVFL:
            case SO_LOCK_FILTER:
            case SO_BUSY_POLL:
            case SO_PASSSEC:
            case SO_NOFCS:
            case SO_ZEROCOPY:
            case SO_PREFER_BUSY_POLL:
                return Put(value, 0, out length);
            case SO_TIMESTAMP:
            case SO_TIMESTAMPNS:
                return Put(value, Options.Timestamps && Options.TimestampsInNs == (name == SO_TIMESTAMPNS), out length);
            case SO_REUSEADDR:
                return Put(value, Options.ReusesAddress, out length);
            case SO_REUSEPORT:
                return Put(value, Options.ReusesPort, out length);
            case SO_TYPE:
                return Put(value, Type, out length);
            case SO_DOMAIN:
                return Put(value, Family, out length);
            case SO_PROTOCOL:
                return Put(value, Protocol, out length);
            case SO_ERROR:
                return Put(value, (int)Options.TakeError(), out length);
            case SO_ACCEPTCONN:
                return Put(value, IsListening, out length);
            case SO_DONTROUTE:
                return Put(value, Options.DoesNotRoute, out length);
            case SO_BROADCAST:
                return Put(value, Options.Broadcasts, out length);
            case SO_KEEPALIVE:
                return Put(value, Options.KeepsAlive, out length);
            case SO_OOBINLINE:
                return Put(value, Options.TakesUrgentInline, out length);
            case SO_NO_CHECK:
                return Put(value, Options.NoCheck, out length);
            case SO_SNDBUF:
                return Put(value, Options.SendBufferBytes, out length);
            case SO_RCVBUF:
                return Put(value, Options.ReceiveBufferBytes, out length);
            case SO_PRIORITY:
                return Put(value, Options.Priority, out length);
            case SO_MARK:
                return Put(value, unchecked((int)Options.Mark), out length);
            case SO_PASSCRED:
                return Put(value, Options.PassesCredentials, out length);
            case SO_RCVLOWAT:
                return Put(value, Options.ReceiveLowWater, out length);
            case SO_SNDLOWAT:
                return Put(value, 1, out length);
            case SO_PEEK_OFF:
                return Put(value, -1, out length);
            case SO_LINGER:
                _ = Put(value, Options.Lingers, out _);
                _ = Put(value[4..], Options.LingerSeconds, out _);
                length = 8;
                return Errno.None;
            case SO_RCVTIMEO:
            case SO_RCVTIMEO_NEW:
                return PutTime(value, Options.ReceiveTimeoutNs, out length);
            case SO_SNDTIMEO:
            case SO_SNDTIMEO_NEW:
                return PutTime(value, Options.SendTimeoutNs, out length);
            case SO_PEERCRED:
                SocketCredentials peer = PeerCredentials;
                _ = Put(value, peer.Pid, out _);
                _ = Put(value[4..], unchecked((int)peer.Uid), out _);
                _ = Put(value[8..], unchecked((int)peer.Gid), out _);
                length = 12;
                return Errno.None;
            case SO_BINDTODEVICE:
                return Errno.None;
            case SO_COOKIE:
                BinaryPrimitives.WriteInt64LittleEndian(value, Cookie);
                length = sizeof(long);
                return Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    private Errno SetSocketOption(Task task, int name, ReadOnlySpan<byte> value)
    {
        const int HighestFreePriority = 6;
        if (name is SO_LINGER or SO_RCVTIMEO or SO_SNDTIMEO or SO_RCVTIMEO_NEW or SO_SNDTIMEO_NEW)
        {
            return SetStructOption(name, value);
        }

        if (name == SO_BINDTODEVICE)
        {
            ReadOnlySpan<byte> device = value.IndexOf((byte)0) is >= 0 and int end ? value[..end] : value;
            return device.Length == 0 || device.SequenceEqual("lo"u8) ? Errno.None : Errno.ENODEV;
        }

        if (value.Length < sizeof(int))
        {
            return Errno.EINVAL;
        }

        int number = BinaryPrimitives.ReadInt32LittleEndian(value);
        bool isOn = number != 0;
        bool isAdmin = task.Credentials.Has(Capability.NetAdmin, Network.Owner!);
        switch (name)
        {
            case SO_DEBUG:
                return isOn && !isAdmin ? Errno.EACCES : Errno.None;
            case SO_REUSEADDR:
                Options.ReusesAddress = isOn;
                return Errno.None;
            case SO_REUSEPORT:
                Options.ReusesPort = isOn;
                return Errno.None;
            case SO_DONTROUTE:
                Options.DoesNotRoute = isOn;
                return Errno.None;
            case SO_BROADCAST:
                Options.Broadcasts = isOn;
                return Errno.None;
            case SO_KEEPALIVE:
                Options.KeepsAlive = isOn;
                return Errno.None;
            case SO_OOBINLINE:
                Options.TakesUrgentInline = isOn;
                return Errno.None;
            case SO_NO_CHECK:
                Options.NoCheck = isOn ? 1 : 0;
                return Errno.None;
            case SO_PASSCRED:
                Options.PassesCredentials = isOn;
                return Errno.None;
            case SO_TIMESTAMP:
            case SO_TIMESTAMPNS:
                Options.Timestamps = isOn;
                Options.TimestampsInNs = isOn && name == SO_TIMESTAMPNS;
                return Errno.None;
            case SO_RCVLOWAT:
                Options.ReceiveLowWater = number <= 0 ? 1 : number;
                return Errno.None;
            case SO_PRIORITY:
                if (number is < 0 or > HighestFreePriority && !isAdmin)
                {
                    return Errno.EPERM;
                }

                Options.Priority = number;
                return Errno.None;
            case SO_MARK:
                if (!isAdmin)
                {
                    return Errno.EPERM;
                }

                Options.Mark = unchecked((uint)number);
                return Errno.None;
            case SO_SNDBUF:
            case SO_RCVBUF:
                return SetBuffer(name == SO_SNDBUF, Math.Min(unchecked((uint)number), SocketOptions.MaximumBufferBytes));
            case SO_SNDBUFFORCE:
            case SO_RCVBUFFORCE:
                return isAdmin ? SetBuffer(name == SO_SNDBUFFORCE, Math.Clamp(number, 0, int.MaxValue / 2)) : Errno.EPERM;
            case SO_TYPE:
            case SO_PROTOCOL:
            case SO_DOMAIN:
            case SO_ERROR:
            case SO_ACCEPTCONN:
            case SO_SNDLOWAT:
                return Errno.ENOPROTOOPT;
            case SO_RXQ_OVFL:
            case SO_PASSSEC:
            case SO_BUSY_POLL:
                // Only what these switch off is here.
                return isOn ? Errno.ENOPROTOOPT : Errno.None;
            default:
                return Errno.ENOPROTOOPT;
        }
    }

    private Errno SetBuffer(bool isSending, long bytes)
    {
        if (isSending)
        {
            Options.SendBufferBytes = (int)Math.Max(MinimumSendBytes, bytes * 2);
        }
        else
        {
            Options.ReceiveBufferBytes = (int)Math.Max(MinimumReceiveBytes, bytes * 2);
        }

        OnBufferChanged();
        return Errno.None;
    }

    private Errno SetStructOption(int name, ReadOnlySpan<byte> value)
    {
        const long UsPerSecond = 1_000_000;
        if (name == SO_LINGER)
        {
            if (value.Length < 8)
            {
                return Errno.EINVAL;
            }

            Options.Lingers = BinaryPrimitives.ReadInt32LittleEndian(value) != 0;
            Options.LingerSeconds = BinaryPrimitives.ReadInt32LittleEndian(value[4..]);
            return Errno.None;
        }

        if (value.Length < 16)
        {
            return Errno.EINVAL;
        }

        long seconds = BinaryPrimitives.ReadInt64LittleEndian(value);
        long microseconds = BinaryPrimitives.ReadInt64LittleEndian(value[8..]);
        if (microseconds is < 0 or >= UsPerSecond)
        {
            return Errno.EDOM;
        }

        // Zero is no limit; a negative time is over at once.
        long ns = seconds < 0 ? 0
            : (seconds == 0 && microseconds == 0) || seconds >= (long.MaxValue / 1_000_000_000) - 1 ? long.MaxValue
            : (seconds * 1_000_000_000) + (microseconds * 1000);
        if (name is SO_RCVTIMEO or SO_RCVTIMEO_NEW)
        {
            Options.ReceiveTimeoutNs = ns;
        }
        else
        {
            Options.SendTimeoutNs = ns;
        }

        return Errno.None;
    }

    private static Errno PutTime(Span<byte> value, long ns, out int length)
    {
        long shown = ns == long.MaxValue ? 0 : ns;
        BinaryPrimitives.WriteInt64LittleEndian(value, shown / 1_000_000_000);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], shown % 1_000_000_000 / 1000);
        length = 16;
        return Errno.None;
    }
}
