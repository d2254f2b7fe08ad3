// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Opening and making regular files.</content>
public sealed partial class GoferSession
{
    // What a client may ask of open(2); O_CREAT and O_EXCL have their own requests.
    private const int AllowedOpenFlags = Linux.O_ACCMODE | Linux.O_TRUNC | Linux.O_APPEND | Linux.O_NONBLOCK | Linux.O_SYNC | Linux.O_DIRECT
        | Linux.O_LARGEFILE | Linux.O_DIRECTORY | Linux.O_NOFOLLOW | Linux.O_NOATIME | Linux.O_CLOEXEC | Linux.O_NOCTTY;

    /// <inheritdoc/>
    public void Lopen(in LopenRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (fid.OpenFd >= 0)
        {
            reply.Error(HostErrno.EBUSY);
            return;
        }

        HostErrno error = HostFiles.Stat(fid.PathFd, out Attr attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        HostResult opened = Open(fid, request.Flags);
        if (reply.Succeeded(opened))
        {
            fid.OpenFd = opened.Int;
            fid.AccessMode = (int)(request.Flags & Linux.O_ACCMODE);
            reply.Length = new LopenReply { Qid = HostFiles.ToQid(in attr), IoUnit = (uint)LongestPayload }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void OpenFd(in OpenFdRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid) || !TryNewFid(request.NewFid, ref reply))
        {
            return;
        }

        HostResult opened = Open(fid, request.Flags);
        if (reply.Succeeded(opened))
        {
            byte donated = Hand(opened.Int, fid.FileType, request.NewFid, request.Flags, ref reply);
            reply.Length = new OpenFdReply { Donated = donated }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Lcreate(in LcreateRequest request, ref ReplyFrame reply)
    {
        if (!TryDirectoryToChange(request.Fid, ref reply, out Fid directory))
        {
            return;
        }

        // The standard message tells no uid: the file is the gofer's.
        HostErrno error = Create(directory, request.Name, request.Flags, request.Mode, _ownUid, request.Gid, out int openFd, out Attr attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        _fids.Remove(request.Fid)?.Close();
        _fids.Add(request.Fid, new Fid { OpenFd = openFd, AccessMode = (int)(request.Flags & Linux.O_ACCMODE), FileType = Linux.S_IFREG });
        reply.Length = new LcreateReply { Qid = HostFiles.ToQid(in attr), IoUnit = (uint)LongestPayload }.Encode(reply.Buffer, reply.Tag);
    }

    /// <inheritdoc/>
    public void CreateFd(in CreateFdRequest request, ref ReplyFrame reply)
    {
        if (!TryDirectoryToChange(request.DirFid, ref reply, out Fid directory)
            || !TryNewFid(request.NewFid, ref reply) || !TryNewFid(request.OpenFid, ref reply))
        {
            return;
        }

        if (request.NewFid == request.OpenFid)
        {
            reply.Error(HostErrno.EINVAL);
            return;
        }

        HostErrno error = Create(directory, request.Name, request.Flags, request.Mode, request.Uid, request.Gid, out int openFd, out Attr attr);
        if (error != HostErrno.None)
        {
            reply.Error(error);
            return;
        }

        HostResult path = _files.Reopen(openFd, Linux.O_PATH);
        if (path.IsError)
        {
            _ = HostCalls.Close(openFd);
            RemoveName(directory, request.Name, 0);
            reply.Error(path.Error);
            return;
        }

        _fids.Add(request.NewFid, new Fid { PathFd = path.Int, FileType = Linux.S_IFREG });
        byte donated = Hand(openFd, Linux.S_IFREG, request.OpenFid, request.Flags, ref reply);
        reply.Length = new CreateFdReply { Attr = attr, Donated = donated }.Encode(reply.Buffer, reply.Tag);
    }

    // Opens the file of a fid by its descriptor, under the tree's policy for its type.
    private HostResult Open(Fid fid, uint requestFlags)
    {
        if (fid.PathFd < 0)
        {
            return Failure(HostErrno.EBADF);
        }

        if ((requestFlags & ~(uint)AllowedOpenFlags) != 0 || (requestFlags & Linux.O_ACCMODE) == Linux.O_ACCMODE)
        {
            return Failure(HostErrno.EINVAL);
        }

        int flags = (int)requestFlags & ~(Linux.O_NOFOLLOW | Linux.O_LARGEFILE);
        if (_options.ReadOnly && ((flags & Linux.O_ACCMODE) != Linux.O_RDONLY || (flags & Linux.O_TRUNC) != 0))
        {
            // The kernel would say so of a read-only mount, but not of a device or FIFO on it; neither is opened for writing here.
            return Failure(HostErrno.EROFS);
        }

        switch (fid.FileType)
        {
            case Linux.S_IFREG:
                return (flags & Linux.O_DIRECTORY) != 0 ? Failure(HostErrno.ENOTDIR) : _files.Reopen(fid.PathFd, flags);
            case Linux.S_IFDIR:
                if ((flags & Linux.O_ACCMODE) != Linux.O_RDONLY || (flags & Linux.O_TRUNC) != 0)
                {
                    return Failure(HostErrno.EISDIR);
                }

                return HostCalls.Openat(fid.PathFd, ".\0"u8, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0);
            case Linux.S_IFIFO:
                // Never waits for the other end: one client's FIFO must not stop its other files.
                return _options.OpensFifos ? _files.Reopen(fid.PathFd, flags | Linux.O_NONBLOCK) : Failure(HostErrno.EACCES);
            case Linux.S_IFLNK:
                return Failure(HostErrno.ELOOP);
            case Linux.S_IFSOCK:
                return Failure(HostErrno.ENXIO);
            default:
                // The host's devices are the host's; the Sentry has its own.
                return Failure(HostErrno.EPERM);
        }
    }

    // Makes and opens a regular file with the owner and mode that the client asked for; undone when a step fails.
    private HostErrno Create(
        Fid directory, ReadOnlySpan<byte> clientName, uint requestFlags, uint mode, uint uid, uint gid, out int openFd, out Attr attr)
    {
        openFd = -1;
        attr = default;
        Span<byte> name = stackalloc byte[HostName.Room];
        HostErrno error = HostName.Copy(clientName, name);
        if (error != HostErrno.None)
        {
            return error;
        }

        const uint ignored = Linux.O_CREAT | Linux.O_EXCL;
        uint flags = requestFlags & ~ignored;
        if ((flags & ~(uint)AllowedOpenFlags) != 0 || (flags & Linux.O_ACCMODE) == Linux.O_ACCMODE || (flags & Linux.O_DIRECTORY) != 0
            || (mode & ~Linux.PermissionBits) != 0)
        {
            return HostErrno.EINVAL;
        }

        int hostFlags = ((int)flags & ~Linux.O_LARGEFILE) | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW | Linux.O_NOCTTY;
        HostResult made = HostFiles.OpenChild(directory.PathFd, name, hostFlags, mode);
        if (made.IsError)
        {
            return made.Error;
        }

        error = Dress(made.Int, mode, uid, gid, out attr);
        if (error != HostErrno.None)
        {
            _ = HostCalls.Close(made.Int);
            _ = HostCalls.Unlinkat(directory.PathFd, name, 0);
            return error;
        }

        openFd = made.Int;
        return HostErrno.None;
    }

    // Gives a new file its owner and exact mode, whatever the host's directory passed on to it.
    private HostErrno Dress(int fd, uint mode, uint uid, uint gid, out Attr attr)
    {
        HostErrno error = HostFiles.Stat(fd, out attr);
        if (error != HostErrno.None)
        {
            return error;
        }

        bool changed = false;
        if (attr.Uid != uid || attr.Gid != gid)
        {
            HostResult owned = HostFiles.ChangeOwner(fd, uid, gid);
            if (owned.IsError)
            {
                return owned.Error;
            }

            changed = true;
            error = HostFiles.Stat(fd, out attr); // a change of owner may have cleared mode bits
            if (error != HostErrno.None)
            {
                return error;
            }
        }

        bool isLink = (attr.Mode & Linux.S_IFMT) == Linux.S_IFLNK;
        if (!isLink && (attr.Mode & Linux.PermissionBits) != (mode & Linux.PermissionBits))
        {
            HostResult moded = _files.ChangeMode(fd, mode & Linux.PermissionBits);
            if (moded.IsError)
            {
                return moded.Error;
            }

            changed = true;
        }

        return changed ? HostFiles.Stat(fd, out attr) : HostErrno.None;
    }

    // Hands an open descriptor over, or keeps it as a fid; the value says which (1: handed over).
    private byte Hand(int openFd, uint fileType, uint newFid, uint requestFlags, ref ReplyFrame reply)
    {
        if (fileType is Linux.S_IFREG or Linux.S_IFIFO && _options.DonatesFiles)
        {
            reply.Donate(openFd);
            return 1;
        }

        _fids.Add(newFid, new Fid { OpenFd = openFd, AccessMode = (int)(requestFlags & Linux.O_ACCMODE), FileType = fileType });
        return 0;
    }

    private static void RemoveName(Fid directory, ReadOnlySpan<byte> clientName, int flags)
    {
        Span<byte> name = stackalloc byte[HostName.Room];
        if (HostName.Copy(clientName, name) == HostErrno.None)
        {
            _ = HostCalls.Unlinkat(directory.PathFd, name, flags);
        }
    }

    private static HostResult Failure(HostErrno error) => new(-(long)error);
}
