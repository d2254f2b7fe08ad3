// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Unix sockets of the host, for trees that allow them.</content>
public sealed partial class GoferSession
{
    // sizeof(sun_path): a bound name and the descriptor's path before it must fit.
    private const int PathRoom = 108;

    /// <inheritdoc/>
    public void Connect(in ConnectRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (!_options.OpensSockets || fid.FileType != Linux.S_IFSOCK)
        {
            reply.Error(HostErrno.ECONNREFUSED);
            return;
        }

        Span<byte> address = stackalloc byte[2 + PathRoom];
        int length = Address(fid.PathFd, default, address);
        HostResult socket = NewSocket(request.SocketType);
        if (!reply.Succeeded(socket))
        {
            return;
        }

        if (!reply.Succeeded(HostCalls.Connect(socket.Int, address[..length])))
        {
            _ = HostCalls.Close(socket.Int);
            return;
        }

        reply.Donate(socket.Int);
        reply.Length = default(ConnectReply).Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Bind(in BindRequest request, ref ReplyFrame reply)
    {
        Span<byte> name = stackalloc byte[HostName.Room];
        if (!TryDirectoryToChange(request.DirFid, ref reply, out Fid directory) || !TryNewFid(request.NewFid, ref reply)
            || !TryName(request.Name, name, ref reply))
        {
            return;
        }

        Span<byte> address = stackalloc byte[2 + PathRoom];
        int length = _options.CreatesSockets ? Address(directory.PathFd, request.Name, address) : 0;
        if (length == 0 || (request.Mode & ~Linux.PermissionBits) != 0)
        {
            reply.Error(!_options.CreatesSockets ? HostErrno.EPERM : length == 0 ? HostErrno.ENAMETOOLONG : HostErrno.EINVAL);
            return;
        }

        HostResult socket = NewSocket(request.SocketType);
        if (!reply.Succeeded(socket))
        {
            return;
        }

        HostResult result = HostCalls.Bind(socket.Int, address[..length]);
        HostResult found = result.IsError ? result : HostFiles.Lookup(directory.PathFd, name);
        Attr attr = default;
        if (!found.IsError)
        {
            HostErrno error = Dress(found.Int, request.Mode, request.Uid, request.Gid, out attr);
            if (error != HostErrno.None)
            {
                _ = HostCalls.Close(found.Int);
                _ = HostCalls.Unlinkat(directory.PathFd, name, 0);
                found = Failure(error);
            }
        }

        if (!reply.Succeeded(found))
        {
            _ = HostCalls.Close(socket.Int);
            return;
        }

        _fids.Add(request.NewFid, new Fid { PathFd = found.Int, FileType = attr.Mode & Linux.S_IFMT });
        reply.Donate(socket.Int);
        reply.Length = new BindReply { Attr = attr }.Encode(reply.Buffer, reply.Tag);
    }

    private static HostResult NewSocket(uint type) =>
        type is Linux.SOCK_STREAM or Linux.SOCK_DGRAM or Linux.SOCK_SEQPACKET
            ? HostCalls.Socket(Linux.AF_UNIX, (int)type | Linux.SOCK_CLOEXEC, 0)
            : Failure(HostErrno.EPROTONOSUPPORT);

    // A unix address is a path. Ours goes through the descriptor's own magic link, so no name is resolved but the last.
    private int Address(int fd, ReadOnlySpan<byte> name, Span<byte> address)
    {
        address.Clear();
        address[0] = Linux.AF_UNIX;
        Span<byte> path = address[2..];
        int length = Encoding.Latin1.GetBytes(_options.DescriptorPathPrefix, path);
        length += HostName.CopyNumber(fd, path[length..]);
        if (!name.IsEmpty)
        {
            if (length + 1 + name.Length >= path.Length)
            {
                return 0;
            }

            path[length++] = (byte)'/';
            name.CopyTo(path[length..]);
            length += name.Length;
        }

        return 2 + length + 1;
    }
}
