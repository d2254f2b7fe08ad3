// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>
/// One end of a control connection: messages of a 4-byte little-endian length and that many bytes of JSON; descriptors
/// travel with a message's first byte. Not thread-safe; sending and receiving may be done by two threads.
/// </summary>
public sealed class ControlConnection(int socket) : IDisposable
{
    /// <summary>Longer messages end the connection; argument lists are at most some megabytes.</summary>
    public const int MaxMessageBytes = 16 << 20;

    private readonly List<int> _descriptors = [];
    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>The socket.</summary>
    public int Socket { get; } = socket;

    /// <summary>Sends one message.</summary>
    public HostResult Send<T>(T message, JsonTypeInfo<T> type, ReadOnlySpan<int> descriptors = default)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, type);
        byte[] frame = new byte[json.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(frame, json.Length);
        json.CopyTo(frame, 4);
        int sent = 0;
        while (sent < frame.Length)
        {
            HostResult result = DescriptorMessage.Send(Socket, frame.AsSpan(sent), sent == 0 ? descriptors : default);
            if (result.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (result.IsError)
            {
                return result;
            }

            sent += result.Int;
        }

        return new HostResult(sent);
    }

    /// <summary>
    /// Reads once from the socket. The value is how many bytes came; 0 when the peer has closed. Then ask
    /// <see cref="TryTake"/> until it says no.
    /// </summary>
    public HostResult Fill()
    {
        if (_length == _buffer.Length)
        {
            if (_length >= MaxMessageBytes + 4)
            {
                return new HostResult(-(long)HostErrno.EMSGSIZE);
            }

            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, MaxMessageBytes + 4));
        }

        Span<int> numbers = stackalloc int[DescriptorMessage.MaxDescriptors];
        HostResult result = DescriptorMessage.Receive(Socket, _buffer.AsSpan(_length), numbers, out int count);
        if (!result.IsError)
        {
            _length += result.Int;
            _descriptors.AddRange(numbers[..count]);
        }

        return result;
    }

    /// <summary>Takes one whole message out of what has been read; its descriptors are the caller's from then on.</summary>
    /// <returns>False when no whole message is there yet.</returns>
    /// <exception cref="JsonException">The peer does not speak this protocol.</exception>
    public bool TryTake<T>(JsonTypeInfo<T> type, out T? message, out int[] descriptors)
    {
        message = default;
        descriptors = [];
        if (_length < 4)
        {
            return false;
        }

        int size = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
        if (size is < 0 or > MaxMessageBytes)
        {
            throw new JsonException("the control message's length is out of range");
        }

        if (_length - 4 < size)
        {
            return false;
        }

        message = JsonSerializer.Deserialize(_buffer.AsSpan(4, size), type);
        _length -= size + 4;
        _buffer.AsSpan(size + 4, _length).CopyTo(_buffer);
        descriptors = [.. _descriptors];
        _descriptors.Clear();
        return true;
    }

    /// <summary>Closes the socket and descriptors nobody took.</summary>
    public void Dispose()
    {
        foreach (int fd in _descriptors)
        {
            _ = HostCalls.Close(fd);
        }

        _descriptors.Clear();
        _ = HostCalls.Close(Socket);
    }
}
