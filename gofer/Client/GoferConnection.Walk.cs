// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Client;

/// <content>Attach, walks, and fids that go.</content>
public sealed partial class GoferConnection
{
    /// <summary>Makes a fid of the mount's root.</summary>
    /// <param name="wantsRootFd">Ask for the root's host descriptor too.</param>
    /// <param name="fid">The fid.</param>
    /// <param name="attr">The root's attributes.</param>
    /// <param name="traits">What the mount is.</param>
    /// <param name="rootFd">The descriptor, the caller's to close, or -1.</param>
    public HostErrno Attach(bool wantsRootFd, out uint fid, out Attr attr, out MountTraits traits, out int rootFd)
    {
        attr = default;
        traits = MountTraits.None;
        rootFd = -1;
        if (!_fids.TryTake(out fid))
        {
            return HostErrno.EMFILE;
        }

        Exchange exchange = Rent();
        int length = new AttachGetattrRequest { Fid = fid, Flags = wantsRootFd ? 1u : 0 }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RAttachGetattr, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (AttachGetattrReply.TryDecode(body, out AttachGetattrReply reply))
            {
                attr = reply.Attr;
                traits = (MountTraits)reply.MountFlags;
                rootFd = exchange.Fd;
            }
            else
            {
                error = BadReply(exchange);
            }
        }

        return Finish(exchange, error, fid);
    }

    /// <summary>Walks names from a directory: a fid and attributes for each file passed.</summary>
    /// <param name="fid">The directory.</param>
    /// <param name="names">At most <see cref="NinePLimits.MaxWalkGetattr"/> names, none "." or "..".</param>
    /// <param name="newFids">The fids of the files passed; room for as many as there are names.</param>
    /// <param name="attrs">Their attributes; as much room.</param>
    /// <param name="walked">How many files were passed.</param>
    /// <param name="end">Why it ended.</param>
    public HostErrno Walk(uint fid, ReadOnlySpan<string> names, Span<uint> newFids, Span<Attr> attrs, out int walked, out WalkEnd end)
    {
        walked = 0;
        end = WalkEnd.All;
        int taken = 0;
        while (taken < names.Length)
        {
            if (names[taken].Length > NinePLimits.MaxName)
            {
                _fids.Return(newFids[..taken]);
                return HostErrno.ENAMETOOLONG;
            }

            if (!_fids.TryTake(out newFids[taken]))
            {
                _fids.Return(newFids[..taken]);
                return HostErrno.EMFILE;
            }

            taken++;
        }

        HostErrno error = Walk(fid, names, newFids[..taken], attrs, ref walked, ref end);
        _fids.Return(newFids[walked..taken]);
        return error;
    }

    /// <summary>Walks names from a directory for their attributes alone.</summary>
    /// <param name="fid">The directory.</param>
    /// <param name="names">At most <see cref="NinePLimits.MaxWalkGetattr"/> names, none "." or "..".</param>
    /// <param name="attrs">The attributes of the files passed; room for as many as there are names.</param>
    /// <param name="walked">How many files were passed.</param>
    /// <param name="end">Why it ended.</param>
    public HostErrno WalkStat(uint fid, ReadOnlySpan<string> names, Span<Attr> attrs, out int walked, out WalkEnd end)
    {
        walked = 0;
        end = WalkEnd.All;
        foreach (string name in names)
        {
            if (name.Length > NinePLimits.MaxName)
            {
                return HostErrno.ENAMETOOLONG;
            }
        }

        return Walk(fid, names, default, attrs, ref walked, ref end);
    }

    /// <summary>Drops a fid; it is clunked with others, sooner or later.</summary>
    public void Drop(uint fid)
    {
        Span<uint> batch = stackalloc uint[FidAllocator.BatchRoom];
        ClunkBatch(batch[.._fids.Drop(fid, batch)]);
    }

    /// <summary>Clunks every dropped fid now, so that the gofer holds no descriptor of them.</summary>
    public void FlushDropped()
    {
        Span<uint> batch = stackalloc uint[FidAllocator.BatchRoom];
        ClunkBatch(batch[.._fids.TakeDropped(batch)]);
    }

    private HostErrno Walk(uint fid, ReadOnlySpan<string> names, ReadOnlySpan<uint> newFids, Span<Attr> attrs, ref int walked, ref WalkEnd end)
    {
        if (names.IsEmpty || names.Length > NinePLimits.MaxWalkGetattr)
        {
            return HostErrno.EINVAL;
        }

        Exchange exchange = Rent();

        // The names are encoded in the reply's room, which nobody needs yet.
        Span<byte> fidBytes = stackalloc byte[NinePLimits.MaxWalkGetattr * sizeof(uint)];
        int length = new WalkGetattrRequest
        {
            Fid = fid,
            NewFids = U32List.Of(newFids, fidBytes),
            Names = StringList.Of(names, exchange.Reply),
        }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RWalkGetattr, out ReadOnlySpan<byte> body);
        if (error == HostErrno.None)
        {
            if (WalkGetattrReply.TryDecode(body, out WalkGetattrReply reply) && reply.Attrs.Count <= names.Length && reply.Status <= (byte)WalkEnd.NotDirectory
                && (reply.Status != 0 || reply.Attrs.Count == names.Length))
            {
                walked = reply.Attrs.Count;
                end = (WalkEnd)reply.Status;
                for (int i = 0; i < walked; i++)
                {
                    attrs[i] = reply.Attrs[i];
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

    private void ClunkBatch(ReadOnlySpan<uint> batch)
    {
        if (batch.IsEmpty)
        {
            return;
        }

        Exchange exchange = Rent();
        Span<byte> bytes = stackalloc byte[FidAllocator.BatchRoom * sizeof(uint)];
        int length = new ClunkManyRequest { Fids = U32List.Of(batch, bytes) }.Encode(exchange.Request, exchange.Tag);
        HostErrno error = Call(exchange, length, MessageType.RClunkMany, out _);
        Return(exchange);

        // Only a broken connection refuses; then no fid exists any more, and none will be made.
        if (error == HostErrno.None)
        {
            _fids.Return(batch);
        }
    }

    // A reply of the right type with a wrong body: the gofer is not ours any more.
    private HostErrno BadReply(Exchange exchange)
    {
        CloseDonated(exchange);
        _isBroken = true;
        return HostErrno.EIO;
    }

    // Ends a call that would have made one fid.
    private HostErrno Finish(Exchange exchange, HostErrno error, uint fid)
    {
        Return(exchange);
        if (error != HostErrno.None)
        {
            _fids.Return(fid);
        }

        return error;
    }
}
