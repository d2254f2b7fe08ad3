// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.Sockets;

/// <summary>A message on its way: a datagram or a packet. Pooled.</summary>
internal sealed class Message
{
    // What a small message weighs against a buffer's limit besides its bytes (SKB_TRUESIZE of an empty one).
    private const int OverheadBytes = 768;
    private const int Kept = 64;
    private static readonly Lock s_lock = new();
    [GuardedBy(nameof(s_lock))]
    private static Message? s_free;
    [GuardedBy(nameof(s_lock))]
    private static int s_freeCount;

    private byte[] _data = [];

    private Message()
    {
    }

    internal Message? Next { get; set; }

    /// <summary>The bytes.</summary>
    internal Memory<byte> Data => _data.AsMemory(0, Length);

    /// <summary>How many there are.</summary>
    internal int Length { get; private set; }

    /// <summary>What it weighs against a buffer's limit.</summary>
    internal int WeightBytes => Length + OverheadBytes;

    /// <summary>Where it came from, as the receiver will see it.</summary>
    internal SocketAddress Source { get; set; }

    /// <summary>Where it was sent to (Inet only).</summary>
    internal Inet.InetEndpoint Destination { get; set; }

    /// <summary>What its header says (Inet only).</summary>
    internal PacketTraits Traits { get; set; }

    /// <summary>When it came, in nanoseconds since the epoch; 0 when nobody asks.</summary>
    internal long ArrivalNs { get; set; }

    /// <summary>Descriptions that travel with it.</summary>
    internal FileDescription[]? Rights { get; set; }

    /// <summary>Its sender, where somebody asks.</summary>
    internal SocketCredentials? Credentials { get; set; }

    /// <summary>Copies a message out of a buffer.</summary>
    /// <returns>None or EFAULT.</returns>
    internal static Errno Create(ref IoBuffer source, out Message message)
    {
        message = Rent((int)source.Remaining);
        Errno error = source.CopyIn(message.Data.Span, out _);
        if (error != Errno.None)
        {
            message.Free();
        }

        return error;
    }

    /// <summary>A message with room for so many bytes.</summary>
    internal static Message Rent(int length)
    {
        Message? message;
        lock (s_lock)
        {
            message = s_free;
            if (message is not null)
            {
                s_free = message.Next;
                s_freeCount--;
                message.Next = null;
            }
        }

        message ??= new Message();
        message._data = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        message.Length = length;
        return message;
    }

    /// <summary>Gives it back; its rights must have been taken.</summary>
    internal void Free()
    {
        ArrayPool<byte>.Shared.Return(_data);
        _data = [];
        Length = 0;
        Source = default;
        Destination = default;
        Traits = default;
        ArrivalNs = 0;
        Rights = null;
        Credentials = null;
        lock (s_lock)
        {
            if (s_freeCount < Kept)
            {
                Next = s_free;
                s_free = this;
                s_freeCount++;
            }
        }
    }
}
