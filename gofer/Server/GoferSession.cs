// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>
/// One tree served on one socket. A thread of its own runs <see cref="Serve"/>; nothing is shared with other sessions,
/// so nothing is locked.
/// </summary>
/// <remarks>
/// The client is not trusted: it may be the guest's. Every number and name it sends is checked here, every lookup is one
/// openat2 of one component beneath a descriptor that this session opened, and nothing is ever named by a path.
/// A datagram that is no frame ends the session, since its sender is not our client; a malformed body is answered EINVAL.
/// </remarks>
public sealed partial class GoferSession : IRequestHandler
{
    private const int RoomOfHeaders = 64;

    private readonly int _socket;
    private readonly int _rootFd;
    private readonly HostFiles _files;
    private readonly TreeOptions _options;
    private readonly FidTable _fids = new();
    private readonly byte[] _request;
    private readonly byte[] _reply;
    private readonly int _longestMessage;
    private readonly uint _ownUid = (uint)HostCalls.Geteuid().Value;
    private readonly uint _ownGid = (uint)HostCalls.Getegid().Value;
    private byte[]? _rawEntries;
    private int _messageSize;

    /// <summary>Prepares a session.</summary>
    /// <param name="socket">A connected SOCK_SEQPACKET socket; the session closes it.</param>
    /// <param name="rootFd">The tree's root, O_PATH; the session closes it.</param>
    /// <param name="files">The lookups.</param>
    /// <param name="options">What the client may do.</param>
    [BeforeFilter("sessions are made before the gofer confines itself")]
    public GoferSession(int socket, int rootFd, HostFiles files, TreeOptions options)
    {
        _socket = socket;
        _rootFd = rootFd;
        _files = files;
        _options = options;
        _longestMessage = DatagramRoom.Ensure(socket, NinePLimits.MaxMessage);
        _messageSize = _longestMessage;

        // Not zeroed and touched only as far as messages reach: a session costs few pages.
        _request = GC.AllocateUninitializedArray<byte>(NinePLimits.MaxMessage, pinned: true);
        _reply = GC.AllocateUninitializedArray<byte>(NinePLimits.MaxMessage, pinned: true);
    }

    /// <summary>Answers requests until the client closes the socket or breaks the protocol.</summary>
    public void Serve()
    {
        while (true)
        {
            HostResult received = DescriptorMessage.Receive(_socket, _request, default, out _);
            if (received.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (received.IsError || !Frame.TrySplit(_request.AsSpan(0, received.Int), out byte type, out ushort tag, out ReadOnlySpan<byte> body))
            {
                break;
            }

            ReplyFrame reply = new(_reply, tag);
            switch (RequestDispatch.Dispatch(this, type, body, ref reply))
            {
                case DispatchResult.Malformed:
                    reply.Error(HostErrno.EINVAL);
                    break;
                case DispatchResult.Unknown:
                    reply.Error(HostErrno.EOPNOTSUPP);
                    break;
            }

            HostResult sent = Send(in reply);
            if (reply.ClosesFd)
            {
                _ = HostCalls.Close(reply.Fd);
            }

            if (sent.IsError)
            {
                break;
            }
        }

        _fids.Clear();
        _ = HostCalls.Close(_rootFd);
        _ = HostCalls.Close(_socket);
    }

    private HostResult Send(in ReplyFrame reply)
    {
        int fd = reply.Fd;
        while (true)
        {
            HostResult sent = DescriptorMessage.Send(_socket, reply.Buffer[..reply.Length], fd >= 0 ? new ReadOnlySpan<int>(in fd) : default);
            if (sent.Error != HostErrno.EINTR)
            {
                return sent;
            }
        }
    }

    private int LongestPayload => Math.Min(NinePLimits.MaxIo, _messageSize - RoomOfHeaders);

    // The fid of a number as a file; an extended attribute in transfer is none.
    private bool TryFile(uint number, ref ReplyFrame reply, out Fid fid)
    {
        Fid? found = _fids.Find(number);
        if (found is null || found.Xattr is not null)
        {
            reply.Error(HostErrno.EBADF);
            fid = null!;
            return false;
        }

        fid = found;
        return true;
    }

    // A directory in which the client wants to change a name.
    private bool TryDirectoryToChange(uint number, ref ReplyFrame reply, out Fid fid)
    {
        if (!TryDirectory(number, ref reply, out fid))
        {
            return false;
        }

        if (_options.ReadOnly)
        {
            reply.Error(HostErrno.EROFS);
            return false;
        }

        return true;
    }

    private bool TryDirectory(uint number, ref ReplyFrame reply, out Fid fid)
    {
        if (!TryFile(number, ref reply, out fid))
        {
            return false;
        }

        if (fid.FileType != Linux.S_IFDIR || fid.PathFd < 0)
        {
            reply.Error(HostErrno.ENOTDIR);
            return false;
        }

        return true;
    }

    private static bool TryName(scoped ReadOnlySpan<byte> name, scoped Span<byte> buffer, ref ReplyFrame reply)
    {
        HostErrno error = HostName.Copy(name, buffer);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return false;
        }

        return true;
    }

    private bool TryNewFid(uint number, ref ReplyFrame reply)
    {
        HostErrno error = _fids.Check(number);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return false;
        }

        return true;
    }
}
