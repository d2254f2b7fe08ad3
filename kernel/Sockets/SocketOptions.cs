// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;

namespace CVisor.Sockets;

/// <summary>The options of SOL_SOCKET that any socket has. Each is one word and needs no lock.</summary>
public sealed class SocketOptions
{
    /// <summary>net.core.rmem_default and wmem_default in bytes.</summary>
    public const int DefaultBufferBytes = 212992;

    /// <summary>The largest buffer that setsockopt(2) gives, before doubling (net.core.rmem_max).</summary>
    public const int MaximumBufferBytes = 212992;

    private int _error;

    /// <summary>SO_SNDBUF as getsockopt(2) tells it (twice what was asked for).</summary>
    public int SendBufferBytes { get; set; } = DefaultBufferBytes;

    /// <summary>SO_RCVBUF likewise.</summary>
    public int ReceiveBufferBytes { get; set; } = DefaultBufferBytes;

    /// <summary>SO_SNDTIMEO in nanoseconds; <see cref="long.MaxValue"/> for none.</summary>
    public long SendTimeoutNs { get; set; } = long.MaxValue;

    /// <summary>SO_RCVTIMEO in nanoseconds; <see cref="long.MaxValue"/> for none.</summary>
    public long ReceiveTimeoutNs { get; set; } = long.MaxValue;

    /// <summary>SO_RCVLOWAT in bytes.</summary>
    public int ReceiveLowWater { get; set; } = 1;

    /// <summary>SO_REUSEADDR.</summary>
    public bool ReusesAddress { get; set; }

    /// <summary>SO_REUSEPORT.</summary>
    public bool ReusesPort { get; set; }

    /// <summary>SO_PASSCRED.</summary>
    public bool PassesCredentials { get; set; }

    /// <summary>SO_KEEPALIVE.</summary>
    public bool KeepsAlive { get; set; }

    /// <summary>SO_BROADCAST.</summary>
    public bool Broadcasts { get; set; }

    /// <summary>SO_OOBINLINE.</summary>
    public bool TakesUrgentInline { get; set; }

    /// <summary>SO_DONTROUTE.</summary>
    public bool DoesNotRoute { get; set; }

    /// <summary>SO_TIMESTAMP or SO_TIMESTAMPNS: datagrams of the internet tell when they came.</summary>
    public bool Timestamps { get; set; }

    /// <summary>Whether it was SO_TIMESTAMPNS: in nanoseconds, not microseconds.</summary>
    public bool TimestampsInNs { get; set; }

    /// <summary>SO_LINGER is on.</summary>
    public bool Lingers { get; set; }

    /// <summary>SO_LINGER's time in seconds.</summary>
    public int LingerSeconds { get; set; }

    /// <summary>SO_PRIORITY.</summary>
    public int Priority { get; set; }

    /// <summary>SO_MARK.</summary>
    public uint Mark { get; set; }

    /// <summary>SO_PEEK_OFF is not supported; -1.</summary>
    public int NoCheck { get; set; }

    /// <summary>Whether an error is pending.</summary>
    public bool HasError => Volatile.Read(ref _error) != 0;

    /// <summary>Sets the pending error (SO_ERROR).</summary>
    public void SetError(Errno error) => Volatile.Write(ref _error, (int)error);

    /// <summary>Takes the pending error, and clears it.</summary>
    public Errno TakeError() => Volatile.Read(ref _error) == 0 ? Errno.None : (Errno)Interlocked.Exchange(ref _error, 0);

    /// <summary>Takes over what a listener's connections inherit.</summary>
    internal void CopyFrom(SocketOptions other)
    {
        SendBufferBytes = other.SendBufferBytes;
        ReceiveBufferBytes = other.ReceiveBufferBytes;
        SendTimeoutNs = other.SendTimeoutNs;
        ReceiveTimeoutNs = other.ReceiveTimeoutNs;
        ReceiveLowWater = other.ReceiveLowWater;
        ReusesAddress = other.ReusesAddress;
        ReusesPort = other.ReusesPort;
        PassesCredentials = other.PassesCredentials;
        KeepsAlive = other.KeepsAlive;
        Broadcasts = other.Broadcasts;
        TakesUrgentInline = other.TakesUrgentInline;
        DoesNotRoute = other.DoesNotRoute;
        Timestamps = other.Timestamps;
        TimestampsInNs = other.TimestampsInNs;
        Lingers = other.Lingers;
        LingerSeconds = other.LingerSeconds;
        Priority = other.Priority;
        Mark = other.Mark;
    }
}
