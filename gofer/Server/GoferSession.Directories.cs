// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Reading directories.</content>
public sealed partial class GoferSession
{
    /// <inheritdoc/>
    public void Readdir(in ReaddirRequest request, ref ReplyFrame reply)
    {
        if (!TryFile(request.Fid, ref reply, out Fid fid))
        {
            return;
        }

        if (fid.OpenFd < 0 || fid.FileType != Linux.S_IFDIR)
        {
            reply.Error(fid.OpenFd < 0 ? HostErrno.EBADF : HostErrno.ENOTDIR);
            return;
        }

        long position = unchecked((long)request.Offset); // a host cookie comes back as it went out
        if (position != fid.DirectoryPosition)
        {
            if (!reply.Succeeded(HostCalls.Lseek(fid.OpenFd, position, Linux.SEEK_SET)))
            {
                return;
            }

            fid.DirectoryPosition = position;
        }

        // An entry of ours is at most 7/6 as long as the host's (28 bytes for 24): what is read always fits.
        int room = (int)Math.Min(request.Count, (uint)LongestPayload);
        int rawRoom = room / 7 * 6;
        _rawEntries ??= GC.AllocateUninitializedArray<byte>(NinePLimits.MaxIo);
        HostResult read = HostCalls.Getdents64(fid.OpenFd, _rawEntries.AsSpan(0, rawRoom));
        if (!reply.Succeeded(read))
        {
            return;
        }

        WireWriter writer = new(reply.Buffer[ReaddirReply.PayloadOffset..]);
        HostDirectoryEntries entries = new(_rawEntries.AsSpan(0, read.Int));
        while (entries.MoveNext())
        {
            new Dirent
            {
                Qid = new Qid { Type = entries.Type switch { 4 => 0x80, 10 => 0x02, _ => 0 }, Path = entries.Inode },
                Offset = unchecked((ulong)entries.Next),
                Type = entries.Type,
                Name = entries.Name,
            }.Write(ref writer);
            fid.DirectoryPosition = entries.Next;
        }

        reply.Length = ReaddirReply.EncodeAround(reply.Buffer, reply.Tag, writer.Length);
    }
}
