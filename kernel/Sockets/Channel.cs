// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Sockets;

/// <summary>One direction between two connected sockets: a byte stream or packets.</summary>
internal abstract class Channel
{
    /// <summary>The queue of the socket that receives; set before data flows.</summary>
    internal WaitQueue? ReaderQueue { get; set; }

    /// <summary>The queue of the socket that sends.</summary>
    internal WaitQueue? WriterQueue { get; set; }

    /// <summary>Bytes that FIONREAD tells: all of a stream, the first packet.</summary>
    internal abstract int Count { get; }

    /// <summary>Whether nothing more will come: the writer shut down or closed.</summary>
    internal abstract bool IsWriterShut { get; }

    /// <summary>Whether what is sent reaches nobody.</summary>
    internal abstract bool IsReaderShut { get; }

    /// <summary>Sets how much may wait here, in bytes.</summary>
    internal abstract void SetCapacity(int bytes);

    /// <summary>Appends: what fits of a stream, all or nothing of a packet.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="request">What goes with them; rights are set to null when they were taken.</param>
    /// <param name="credentials">The sender, where somebody asks for it.</param>
    /// <returns>Bytes; EAGAIN; EPIPE; EMSGSIZE; EFAULT.</returns>
    internal abstract IoResult Send(ref IoBuffer source, ref SendRequest request, SocketCredentials? credentials);

    /// <summary>Takes bytes, up to where something else travels beside them, or one packet.</summary>
    /// <returns>Bytes; 0 at the end; EAGAIN; EFAULT.</returns>
    internal abstract IoResult Receive(ref IoBuffer destination, ref ReceiveRequest request);

    /// <summary>What poll(2) says of the receiving side.</summary>
    internal abstract PollEvents ReadReadiness();

    /// <summary>What poll(2) says of the sending side.</summary>
    internal abstract PollEvents WriteReadiness();

    /// <summary>The writer sends no more: what is there can still be received.</summary>
    internal abstract void ShutWriter();

    /// <summary>The reader takes no more.</summary>
    internal abstract void ShutReader();

    /// <summary>The reader is gone: drops what is there.</summary>
    /// <returns>Whether something was lost.</returns>
    internal abstract bool Abandon();

    /// <summary>Adds the descriptions that travel here, for the collector of cycles.</summary>
    internal abstract void CollectRights(List<FileDescription> found);
}

/// <summary>Packets between two connected sockets.</summary>
internal sealed class PacketChannel : Channel
{
    private readonly MessageQueue _messages = new();

    /// <summary>Makes an empty channel.</summary>
    internal PacketChannel(int capacityBytes) => _messages.CapacityBytes = capacityBytes;

    /// <inheritdoc/>
    internal override int Count => _messages.FirstLength;

    /// <inheritdoc/>
    internal override bool IsWriterShut => _messages.IsWriterShut;

    /// <inheritdoc/>
    internal override bool IsReaderShut => _messages.IsReaderShut;

    /// <inheritdoc/>
    internal override void SetCapacity(int bytes) => _messages.CapacityBytes = bytes;

    /// <inheritdoc/>
    internal override IoResult Send(ref IoBuffer source, ref SendRequest request, SocketCredentials? credentials)
    {
        _messages.ReaderQueue = ReaderQueue;
        return _messages.Send(ref source, ref request, default, credentials, ignoresCount: true);
    }

    /// <inheritdoc/>
    internal override IoResult Receive(ref IoBuffer destination, ref ReceiveRequest request)
    {
        IoResult result = _messages.Receive(ref destination, ref request);
        if (!result.IsError && (request.Flags & Abi.Linux.SocketConstants.MSG_PEEK) == 0)
        {
            WriterQueue?.Notify(PollEvents.AllOut);
        }

        return result;
    }

    /// <inheritdoc/>
    internal override PollEvents ReadReadiness() => _messages.ReadReadiness();

    /// <inheritdoc/>
    internal override PollEvents WriteReadiness() =>
        _messages.HasRoom || _messages.IsWriterShut || _messages.IsReaderShut ? PollEvents.AllOut : PollEvents.None;

    /// <inheritdoc/>
    internal override void ShutWriter()
    {
        _messages.ReaderQueue = ReaderQueue;
        _messages.ShutWriter();
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <inheritdoc/>
    internal override void ShutReader()
    {
        _messages.ReaderQueue = ReaderQueue;
        _messages.ShutReader();
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Hup);
    }

    /// <inheritdoc/>
    internal override bool Abandon()
    {
        bool lost = _messages.Abandon();
        WriterQueue?.NotifyAll(PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
        return lost;
    }

    /// <inheritdoc/>
    internal override void CollectRights(List<FileDescription> found) => _messages.CollectRights(found);
}
