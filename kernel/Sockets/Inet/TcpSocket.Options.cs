// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Text;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Inet;

/// <summary>Options of IPPROTO_TCP (tcp(7)). On a loopback without packets most are kept only to be read back.</summary>
internal sealed partial class TcpSocket
{
    private const int LoopbackSegment = 65483;
    private readonly Lock _optionLock = new();
    [GuardedBy(nameof(_optionLock))]
    private Numbers _tcp = new() { KeepIdle = 7200, KeepInterval = 75, KeepCount = 9, SynCount = 6, Linger2 = 60 };
    [GuardedBy(nameof(_optionLock))]
    private string _congestion = "cubic";

    private struct Numbers
    {
        internal int NoDelay, Cork, KeepIdle, KeepInterval, KeepCount, SynCount, Linger2, DeferAccept, WindowClamp, UserTimeout, NotSentLowWater, SegmentBytes, NoQuickAck, FastOpen, FastOpenConnect;
    }

    /// <inheritdoc/>
    protected override Errno GetProtocolOption(Task task, int level, int name, Span<byte> value, out int length)
    {
        length = 0;
        if (level != IPPROTO_TCP)
        {
            return base.GetProtocolOption(task, level, name, value, out length);
        }

        lock (_optionLock)
        {
            switch (name)
            {
                case TCP_INFO:
                    return PutInfo(value, out length);
                case TCP_CONGESTION:
                    value[..16].Clear();
                    length = 16;
                    _ = Encoding.Latin1.GetBytes(_congestion, value);
                    return Errno.None;
                case TCP_MAXSEG:
                    return Put(value, _state == TcpState.Established ? LoopbackSegment : _tcp.SegmentBytes != 0 ? _tcp.SegmentBytes : 536, out length);
                case TCP_QUICKACK:
                    return Put(value, _tcp.NoQuickAck == 0, out length);
                case TCP_TIMESTAMP:
                    return Put(value, unchecked((int)(Core.Time.KernelClock.MonotonicNs / 1_000_000)), out length);
                default:
                    ref int number = ref Find(name, out bool found);
                    return found ? Put(value, number, out length) : Errno.ENOPROTOOPT;
            }
        }
    }

    /// <inheritdoc/>
    protected override Errno SetProtocolOption(Task task, int level, int name, ReadOnlySpan<byte> value)
    {
        if (level != IPPROTO_TCP)
        {
            return base.SetProtocolOption(task, level, name, value);
        }

        if (name == TCP_CONGESTION)
        {
            return SetCongestion(value);
        }

        if (value.Length < sizeof(int))
        {
            return Errno.EINVAL;
        }

        int number = BinaryPrimitives.ReadInt32LittleEndian(value);
        bool isImpossible = name switch
        {
            TCP_KEEPIDLE or TCP_KEEPINTVL => number is < 1 or > 32767,
            TCP_KEEPCNT or TCP_SYNCNT => number is < 1 or > 127,
            TCP_USER_TIMEOUT => number < 0,
            TCP_MAXSEG => number != 0 && number is < 88 or > 32767,
            TCP_FASTOPEN => number < 0,
            _ => false,
        };
        if (isImpossible)
        {
            return Errno.EINVAL;
        }

        lock (_optionLock)
        {
            if (name == TCP_QUICKACK)
            {
                _tcp.NoQuickAck = number == 0 ? 1 : 0;
                return Errno.None;
            }

            ref int place = ref Find(name, out bool found);
            if (!found || name == TCP_FASTOPEN_CONNECT)
            {
                return name == TCP_FASTOPEN_CONNECT && number == 0 ? Errno.None : Errno.ENOPROTOOPT;
            }

            place = name is TCP_NODELAY or TCP_CORK ? (number != 0 ? 1 : 0) : number;
            return Errno.None;
        }
    }

    private void CopyTcpOptions(TcpSocket from)
    {
        Numbers numbers;
        string congestion;
        lock (from._optionLock)
        {
            numbers = from._tcp;
            congestion = from._congestion;
        }

        lock (_optionLock)
        {
            _tcp = numbers;
            _congestion = congestion;
        }
    }

    [RequiresLock(nameof(_optionLock))]
    private ref int Find(int name, out bool found)
    {
        found = true;
        switch (name)
        {
            case TCP_NODELAY:
                return ref _tcp.NoDelay;
            case TCP_CORK:
                return ref _tcp.Cork;
            case TCP_KEEPIDLE:
                return ref _tcp.KeepIdle;
            case TCP_KEEPINTVL:
                return ref _tcp.KeepInterval;
            case TCP_KEEPCNT:
                return ref _tcp.KeepCount;
            case TCP_SYNCNT:
                return ref _tcp.SynCount;
            case TCP_LINGER2:
                return ref _tcp.Linger2;
            case TCP_DEFER_ACCEPT:
                return ref _tcp.DeferAccept;
            case TCP_WINDOW_CLAMP:
                return ref _tcp.WindowClamp;
            case TCP_USER_TIMEOUT:
                return ref _tcp.UserTimeout;
            case TCP_NOTSENT_LOWAT:
                return ref _tcp.NotSentLowWater;
            case TCP_MAXSEG:
                return ref _tcp.SegmentBytes;
            case TCP_FASTOPEN:
                return ref _tcp.FastOpen;
            case TCP_FASTOPEN_CONNECT:
                return ref _tcp.FastOpenConnect;
            default:
                found = false;
                return ref _tcp.NoDelay;
        }
    }

    private Errno SetCongestion(ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> name = value.IndexOf((byte)0) is >= 0 and int end ? value[..end] : value;
        if (name.IsEmpty)
        {
            return Errno.EINVAL;
        }

        if (!name.SequenceEqual("cubic"u8) && !name.SequenceEqual("reno"u8))
        {
            return Errno.ENOENT;
        }

        lock (_optionLock)
        {
            _congestion = Encoding.Latin1.GetString(name);
            return Errno.None;
        }
    }

    /// <summary>struct tcp_info: the state, options and figures of a link without loss.</summary>
    private Errno PutInfo(Span<byte> value, out int length)
    {
        const int StateAt = 0, OptionsAt = 5, RtoAt = 8, AtoAt = 12, SendSegmentAt = 16, ReceiveSegmentAt = 20, PathMtuAt = 60, RttAt = 68, RttVarAt = 72, ThresholdAt = 76, WindowAt = 80, AdvertisedAt = 84, ReceiveSpaceAt = 96;
        length = 104;
        value[..length].Clear();
        value[StateAt] = (byte)State;
        value[OptionsAt] = 7; // Timestamps, SACK, window scaling.
        Word(value, RtoAt, 204000);
        Word(value, AtoAt, 40000);
        Word(value, SendSegmentAt, LoopbackSegment);
        Word(value, ReceiveSegmentAt, LoopbackSegment);
        Word(value, PathMtuAt, 65535);
        Word(value, RttAt, 20);
        Word(value, RttVarAt, 10);
        Word(value, ThresholdAt, int.MaxValue);
        Word(value, WindowAt, 10);
        Word(value, AdvertisedAt, LoopbackSegment);
        Word(value, ReceiveSpaceAt, Options.ReceiveBufferBytes);
        return Errno.None;
    }

    private static void Word(Span<byte> value, int offset, int word) => BinaryPrimitives.WriteInt32LittleEndian(value[offset..], word);
}
