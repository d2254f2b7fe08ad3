// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Changing names.</content>
public sealed partial class GoferSession
{
    /// <inheritdoc/>
    public void Rename(in RenameRequest request, ref ReplyFrame reply) => reply.Error(HostErrno.EOPNOTSUPP);

    /// <inheritdoc/>
    public void Renameat(in RenameatRequest request, ref ReplyFrame reply)
    {
        if (TryRename(request.OldDirFid, request.OldName, request.NewDirFid, request.NewName, 0, ref reply))
        {
            reply.Length = default(RenameatReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void RenameFlags(in RenameFlagsRequest request, ref ReplyFrame reply)
    {
        if ((request.Flags & ~(Linux.RENAME_NOREPLACE | Linux.RENAME_EXCHANGE)) != 0)
        {
            // RENAME_WHITEOUT would make a device node.
            reply.Error(HostErrno.EINVAL);
        }
        else if (TryRename(request.OldDirFid, request.OldName, request.NewDirFid, request.NewName, request.Flags, ref reply))
        {
            reply.Length = default(RenameFlagsReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Link(in LinkRequest request, ref ReplyFrame reply)
    {
        Span<byte> name = stackalloc byte[HostName.Room];
        if (!TryDirectoryToChange(request.DirFid, ref reply, out Fid directory) || !TryFile(request.Fid, ref reply, out Fid file)
            || !TryName(request.Name, name, ref reply))
        {
            return;
        }

        if (file.FileType == Linux.S_IFDIR)
        {
            reply.Error(HostErrno.EPERM);
        }
        else if (reply.Succeeded(_files.Link(file.AnyFd, directory.PathFd, name)))
        {
            reply.Length = default(LinkReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Unlinkat(in UnlinkatRequest request, ref ReplyFrame reply)
    {
        Span<byte> name = stackalloc byte[HostName.Room];
        if (!TryDirectoryToChange(request.DirFid, ref reply, out Fid directory) || !TryName(request.Name, name, ref reply))
        {
            return;
        }

        if ((request.Flags & ~(uint)Linux.AT_REMOVEDIR) != 0)
        {
            reply.Error(HostErrno.EINVAL);
        }
        else if (reply.Succeeded(HostCalls.Unlinkat(directory.PathFd, name, (int)request.Flags)))
        {
            reply.Length = default(UnlinkatReply).Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Readlink(in ReadlinkRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (fid.FileType != Linux.S_IFLNK)
        {
            reply.Error(HostErrno.EINVAL);
            return;
        }

        // One byte more than a target may have, so that a longer one is noticed.
        Span<byte> target = stackalloc byte[NinePLimits.MaxLinkTarget + 1];
        HostResult read = HostCalls.Readlinkat(fid.PathFd, "\0"u8, target);
        if (!reply.Succeeded(read))
        {
            return;
        }

        if (read.Int > NinePLimits.MaxLinkTarget)
        {
            reply.Error(HostErrno.ENAMETOOLONG);
            return;
        }

        reply.Length = new ReadlinkReply { Target = target[..read.Int] }.Encode(reply.Buffer, reply.Tag);
    }

    private bool TryRename(
        uint oldDirectory, ReadOnlySpan<byte> oldName, uint newDirectory, ReadOnlySpan<byte> newName, uint flags, ref ReplyFrame reply)
    {
        Span<byte> oldText = stackalloc byte[HostName.Room];
        Span<byte> newText = stackalloc byte[HostName.Room];
        return TryDirectoryToChange(oldDirectory, ref reply, out Fid from)
            && TryDirectoryToChange(newDirectory, ref reply, out Fid to)
            && TryName(oldName, oldText, ref reply)
            && TryName(newName, newText, ref reply)
            && reply.Succeeded(HostCalls.Renameat2(from.PathFd, oldText, to.PathFd, newText, flags));
    }
}
