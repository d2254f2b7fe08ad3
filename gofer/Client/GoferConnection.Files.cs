// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Client;

/// <content>Attributes, names and directories.</content>
public sealed partial class GoferConnection
{
    private const uint SetMode = 1, SetUid = 2, SetGid = 4, SetSize = 8, SetAtime = 0x10, SetMtime = 0x20, SetAtimeTo = 0x80, SetMtimeTo = 0x100;
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Reads a file's attributes.</summary>
    public HostErrno GetAttr(uint fid, out Attr attr)
    {
        attr = default;
        Exchange exchange = Rent();
        int length = new GetattrAllRequest { Fid = fid }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RGetattrAll, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (GetattrAllReply.TryDecode(body, out GetattrAllReply reply))
            {
                attr = reply.Attr;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return error;
    }

    /// <summary>Changes a file's attributes, and reads what they are then.</summary>
    public HostErrno SetAttr(uint fid, in GoferChange change, out Attr attr)
    {
        attr = default;
        Exchange exchange = Rent();
        uint valid = (change.Mode is null ? 0 : SetMode) | (change.Uid is null ? 0 : SetUid) | (change.Gid is null ? 0 : SetGid) | (change.Size is null ? 0 : SetSize)
            | (change.AtimeNs is null ? 0 : change.AtimeNs == GoferChange.Now ? SetAtime : SetAtime | SetAtimeTo)
            | (change.MtimeNs is null ? 0 : change.MtimeNs == GoferChange.Now ? SetMtime : SetMtime | SetMtimeTo);
        (long atimeS, uint atimeNs) = Split(change.AtimeNs);
        (long mtimeS, uint mtimeNs) = Split(change.MtimeNs);
        int length = new SetattrGetattrRequest
        {
            Fid = fid,
            Valid = valid,
            Mode = change.Mode ?? 0,
            Uid = change.Uid ?? 0,
            Gid = change.Gid ?? 0,
            Size = change.Size ?? 0,
            AtimeS = atimeS,
            AtimeNs = atimeNs,
            MtimeS = mtimeS,
            MtimeNs = mtimeNs,
        }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RSetattrGetattr, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (SetattrGetattrReply.TryDecode(body, out SetattrGetattrReply reply))
            {
                attr = reply.Attr;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return error;
    }

    /// <summary>Reads the figures of the file system that holds a file.</summary>
    public HostErrno StatFs(uint fid, out StatfsReply stat)
    {
        stat = default;
        Exchange exchange = Rent();
        int length = new StatfsRequest { Fid = fid }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RStatfs, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None && !StatfsReply.TryDecode(body, out stat))
        {
            error = BadReply(exchange);
        }

        Return(exchange);
        return error;
    }

    /// <summary>Reads a symbolic link.</summary>
    public HostErrno ReadLink(uint fid, out string target)
    {
        target = "";
        Exchange exchange = Rent();
        int length = new ReadlinkRequest { Fid = fid }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RReadlink, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (ReadlinkReply.TryDecode(body, out ReadlinkReply reply))
            {
                target = Encoding.Latin1.GetString(reply.Target);
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return error;
    }

    /// <summary>Reads some entries of an open directory, "." and ".." included.</summary>
    /// <param name="openFid">The open directory.</param>
    /// <param name="offset">0, or the <see cref="GoferEntry.Next"/> of the last entry seen.</param>
    /// <param name="entries">Where the entries are added; none at the end.</param>
    /// <param name="maximumBytes">The most bytes of entries to ask for.</param>
    public HostErrno ReadDirectory(uint openFid, ulong offset, List<GoferEntry> entries, int maximumBytes = NinePLimits.MaxIo)
    {
        Exchange exchange = Rent();
        int length = new ReaddirRequest { Fid = openFid, Offset = offset, Count = (uint)maximumBytes }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RReaddir, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (ReaddirReply.TryDecode(body, out ReaddirReply reply))
            {
                foreach (Dirent entry in reply.Entries)
                {
                    entries.Add(new GoferEntry(Encoding.Latin1.GetString(entry.Name), entry.Qid.Path, entry.Type, entry.Offset));
                }
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        Return(exchange);
        return error;
    }

    /// <summary>Gives a file another name.</summary>
    public HostErrno Link(uint directory, uint fid, string name)
    {
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ENAMETOOLONG;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new LinkRequest { DirFid = directory, Fid = fid, Name = Bytes(name, scratch) }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RLink);
    }

    /// <summary>Removes a name.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">The name.</param>
    /// <param name="flags">AT_REMOVEDIR to remove a directory, or 0.</param>
    public HostErrno Unlink(uint directory, string name, uint flags)
    {
        if (name.Length > NinePLimits.MaxName)
        {
            return HostErrno.ENAMETOOLONG;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName];
        int length = new UnlinkatRequest { DirFid = directory, Name = Bytes(name, scratch), Flags = flags }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RUnlinkat);
    }

    /// <summary>Renames a file.</summary>
    /// <param name="oldDirectory">The directory that holds it.</param>
    /// <param name="oldName">Its name.</param>
    /// <param name="newDirectory">The new directory.</param>
    /// <param name="newName">The new name.</param>
    /// <param name="flags">RENAME_NOREPLACE, RENAME_EXCHANGE or 0.</param>
    public HostErrno Rename(uint oldDirectory, string oldName, uint newDirectory, string newName, uint flags)
    {
        if (oldName.Length > NinePLimits.MaxName || newName.Length > NinePLimits.MaxName)
        {
            return HostErrno.ENAMETOOLONG;
        }

        Exchange exchange = Rent();
        Span<byte> scratch = stackalloc byte[NinePLimits.MaxName * 2];
        int length = new RenameFlagsRequest
        {
            OldDirFid = oldDirectory,
            OldName = Bytes(oldName, scratch),
            NewDirFid = newDirectory,
            NewName = Bytes(newName, scratch[NinePLimits.MaxName..]),
            Flags = flags,
        }.Encode(exchange.Request, exchange.Tag);
        return CallPlain(exchange, length, MessageType.RRenameFlags);
    }

    // A call whose reply says nothing but success.
    private HostErrno CallPlain(Exchange exchange, int length, MessageType expected)
    {
        HostErrno error = Call(exchange, length, expected, out _);
        Return(exchange);
        return error;
    }

    private static (long Seconds, uint Nanoseconds) Split(long? timeNs)
    {
        if (timeNs is null or GoferChange.Now)
        {
            return (0, 0);
        }

        long seconds = Math.DivRem(timeNs.Value, NsPerSecond, out long rest);
        return rest < 0 ? (seconds - 1, (uint)(rest + NsPerSecond)) : (seconds, (uint)rest);
    }
}
