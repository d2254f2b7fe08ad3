// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Making directories, links and nodes.</content>
public sealed partial class GoferSession
{
    /// <inheritdoc/>
    public void MakeNode(in MakeNodeRequest request, ref ReplyFrame reply)
    {
        if (!TryDirectoryToChange(request.DirFid, ref reply, out Fid directory) || !TryNewFid(request.NewFid, ref reply))
        {
            return;
        }

        HostErrno error = Make(directory, request.Name, request.Mode, request.Uid, request.Gid, request.Target, out int fd, out Attr attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        _fids.Add(request.NewFid, new Fid { PathFd = fd, FileType = attr.Mode & Linux.S_IFMT });
        reply.Length = new MakeNodeReply { Attr = attr }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void Mkdir(in MkdirRequest request, ref ReplyFrame reply)
    {
        if (TryMake(request.Fid, request.Name, Linux.S_IFDIR | (request.Mode & Linux.PermissionBits), request.Gid, default, ref reply, out Attr attr))
        {
            reply.Length = new MkdirReply { Qid = HostFiles.ToQid(in attr) }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Symlink(in SymlinkRequest request, ref ReplyFrame reply)
    {
        if (TryMake(request.Fid, request.Name, Linux.S_IFLNK | 0x1FF, request.Gid, request.Target, ref reply, out Attr attr))
        {
            reply.Length = new SymlinkReply { Qid = HostFiles.ToQid(in attr) }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Mknod(in MknodRequest request, ref ReplyFrame reply)
    {
        uint type = request.Mode & Linux.S_IFMT;
        if (type is Linux.S_IFDIR or Linux.S_IFLNK)
        {
            reply.Error(HostErrno.EINVAL);
        }
        else if (TryMake(request.Fid, request.Name, type == 0 ? request.Mode | Linux.S_IFREG : request.Mode, request.Gid, default, ref reply, out Attr attr))
        {
            reply.Length = new MknodReply { Qid = HostFiles.ToQid(in attr) }.Encode(reply.Buffer, reply.Tag);
        }
    }

    // The standard messages: the gofer's own user, and no fid of the new file.
    private bool TryMake(
        uint directoryFid, ReadOnlySpan<byte> name, uint mode, uint gid, ReadOnlySpan<byte> target, ref ReplyFrame reply, out Attr attr)
    {
        attr = default;
        if (!TryDirectoryToChange(directoryFid, ref reply, out Fid directory))
        {
            return false;
        }

        HostErrno error = Make(directory, name, mode, _ownUid, gid, target, out int fd, out attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return false;
        }

        _ = HostCalls.Close(fd);
        return true;
    }

    private HostErrno Make(
        Fid directory, ReadOnlySpan<byte> clientName, uint mode, uint uid, uint gid, ReadOnlySpan<byte> target, out int fd, out Attr attr)
    {
        fd = -1;
        attr = default;
        Span<byte> name = stackalloc byte[HostName.Room];
        HostErrno error = HostName.Copy(clientName, name);
        if (error != HostErrno.None)
        {
            return error;
        }

        uint type = mode & Linux.S_IFMT;
        if ((mode & ~(Linux.S_IFMT | Linux.PermissionBits)) != 0)
        {
            return HostErrno.EINVAL;
        }

        HostResult made;
        switch (type)
        {
            case Linux.S_IFDIR:
                made = HostCalls.Mkdirat(directory.PathFd, name, mode & Linux.PermissionBits);
                break;
            case Linux.S_IFLNK:
                if (target.IsEmpty)
                {
                    return HostErrno.ENOENT;
                }

                Span<byte> text = stackalloc byte[NinePLimits.MaxLinkTarget + 1];
                HostName.CopyText(target, text);
                made = HostCalls.Symlinkat(text, directory.PathFd, name);
                break;
            case Linux.S_IFREG or Linux.S_IFIFO or Linux.S_IFSOCK:
                made = HostCalls.Mknodat(directory.PathFd, name, mode, 0);
                break;
            default:
                // A device node would be a door to the host's drivers for whoever opens it outside.
                return HostErrno.EPERM;
        }

        if (made.IsError)
        {
            return made.Error;
        }

        // Somebody else may have put another file in its place; then its type differs and it is not ours to dress.
        HostResult found = HostFiles.Lookup(directory.PathFd, name);
        if (found.IsError)
        {
            return found.Error;
        }

        error = HostFiles.Stat(found.Int, out attr);
        if (error == HostErrno.None && (attr.Mode & Linux.S_IFMT) != type)
        {
            error = HostErrno.EEXIST;
        }
        else if (error == HostErrno.None)
        {
            error = Dress(found.Int, mode, uid, gid, out attr);
            if (error != HostErrno.None)
            {
                _ = HostCalls.Unlinkat(directory.PathFd, name, type == Linux.S_IFDIR ? Linux.AT_REMOVEDIR : 0);
            }
        }

        if (error != HostErrno.None)
        {
            _ = HostCalls.Close(found.Int);
            return error;
        }

        fd = found.Int;
        return HostErrno.None;
    }
}
