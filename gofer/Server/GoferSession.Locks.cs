// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <content>Locks on ranges, kept by the host for the gofer's open file.</content>
public sealed partial class GoferSession
{
    private const byte LockSuccess = 0, LockBlocked = 1;
    private const byte LockWrite = 1, LockNone = 2;

    /// <inheritdoc/>
    public void Lock(in LockRequest request, ref ReplyFrame reply)
    {
        if (!TryLockable(request.Fid, request.Type, LockNone, request.Start, request.Length, ref reply, out Fid fid))
        {
            return;
        }

        HostFlock range = new() { Type = request.Type, Start = (long)request.Start, Length = (long)request.Length };
        HostResult result = HostCalls.FcntlLock(fid.OpenFd, Linux.F_OFD_SETLK, ref range);
        bool blocked = result.Error is HostErrno.EAGAIN or HostErrno.EACCES;
        if (blocked || reply.Succeeded(result))
        {
            reply.Length = new LockReply { Status = blocked ? LockBlocked : LockSuccess }.Encode(reply.Buffer, reply.Tag);
        }
    }

    /// <inheritdoc/>
    public void Getlock(in GetlockRequest request, ref ReplyFrame reply)
    {
        if (!TryLockable(request.Fid, request.Type, LockWrite, request.Start, request.Length, ref reply, out Fid fid))
        {
            return;
        }

        HostFlock range = new() { Type = request.Type, Start = (long)request.Start, Length = (long)request.Length };
        if (reply.Succeeded(HostCalls.FcntlLock(fid.OpenFd, Linux.F_OFD_GETLK, ref range)))
        {
            bool free = range.Type == LockNone;
            reply.Length = new GetlockReply
            {
                Type = (byte)range.Type,
                Start = free ? request.Start : (ulong)range.Start,
                Length = free ? request.Length : (ulong)range.Length,
                ProcId = free ? request.ProcId : 0, // the host's process numbers are not the guest's business
                ClientId = request.ClientId,
            }.Encode(reply.Buffer, reply.Tag);
        }
    }

    private bool TryLockable(uint number, byte type, byte highestType, ulong start, ulong length, ref ReplyFrame reply, out Fid fid)
    {
        if (!TryFile(number, ref reply, out fid))
        {
            return false;
        }

        if (fid.OpenFd < 0 || fid.FileType != Linux.S_IFREG)
        {
            reply.Error(HostErrno.EBADF);
            return false;
        }

        if (type > highestType || start > long.MaxValue || length > long.MaxValue)
        {
            reply.Error(HostErrno.EINVAL);
            return false;
        }

        return true;
    }
}
