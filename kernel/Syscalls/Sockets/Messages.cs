// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Sockets;
using CVisor.Syscalls.Support;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Syscalls;

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(56)]
internal struct GuestMessageHeader
{
    internal ulong Name;
    internal uint NameLength;
    internal uint Pad1;
    internal ulong Vector;
    internal ulong VectorCount;
    internal ulong Control;
    internal ulong ControlLength;
    internal uint Flags;
    internal uint Pad2;
}

/// <content>sendmsg, recvmsg, sendmmsg, recvmmsg.</content>
public static partial class Handlers
{
    // struct mmsghdr is a msghdr and a length.
    private const int MultiMessageBytes = 64, MultiMessageLengthAt = 56;
    private const int NameLengthAt = 8, ControlLengthAt = 40, FlagsAt = 48;
    private const uint MaximumMessages = 1024;

    /// <summary>sendmsg(2)</summary>
    public static partial Blocking<SyscallResult> Sendmsg(Task task, int sockfd, UserPtr msg, int flags)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        return error != Errno.None ? (SyscallResult)error : Release(socket, SendMessage(task, socket, msg, unchecked((uint)flags)));
    }

    /// <summary>recvmsg(2)</summary>
    public static partial Blocking<SyscallResult> Recvmsg(Task task, int sockfd, UserPtr msg, int flags)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        return error != Errno.None ? (SyscallResult)error : Release(socket, ReceiveMessage(task, socket, msg, unchecked((uint)flags)));
    }

    /// <summary>sendmmsg(2)</summary>
    public static partial Blocking<SyscallResult> Sendmmsg(Task task, int sockfd, UserPtr msgvec, uint vlen, int flags)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        return error != Errno.None ? (SyscallResult)error : SendMessages(task, socket, msgvec, Math.Min(vlen, MaximumMessages), unchecked((uint)flags));
    }

    /// <summary>recvmmsg(2)</summary>
    public static partial Blocking<SyscallResult> Recvmmsg(Task task, int sockfd, UserPtr msgvec, uint vlen, int flags, UserPtr timeout)
    {
        Errno error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        return error != Errno.None ? (SyscallResult)error : ReceiveMessages(task, socket, msgvec, Math.Min(vlen, MaximumMessages), unchecked((uint)flags), timeout, deadlineNs);
    }

    private static Blocking<SyscallResult> SendMessage(Task task, SocketDescription socket, UserPtr msg, uint flags)
    {
        Errno error = task.Memory.CopyIn(msg, out GuestMessageHeader header);
        SendRequest request = new() { Flags = flags };
        if (error == Errno.None && header.Name != 0 && header.NameLength != 0)
        {
            error = header.NameLength > int.MaxValue ? Errno.EINVAL
                : SocketAddresses.Read(task, new UserPtr(header.Name), Math.Min(header.NameLength, SocketAddress.MaximumBytes), out request.Destination);
        }

        IoBuffer source = default;
        if (error == Errno.None)
        {
            error = IoVectors.Read(task, new UserPtr(header.Vector), header.VectorCount, Errno.EMSGSIZE, out source);
        }

        if (error == Errno.None)
        {
            error = ControlMessages.Read(task, socket, new UserPtr(header.Control), header.ControlLength, ref request);
        }

        return error != Errno.None ? (SyscallResult)error : SocketIo.Send(task, socket, source, request);
    }

    private static Blocking<SyscallResult> ReceiveMessage(Task task, SocketDescription socket, UserPtr msg, uint flags)
    {
        Errno error = task.Memory.CopyIn(msg, out GuestMessageHeader header);
        IoBuffer destination = default;
        if (error == Errno.None)
        {
            error = header.NameLength > int.MaxValue && header.Name != 0 ? Errno.EINVAL
                : IoVectors.Read(task, new UserPtr(header.Vector), header.VectorCount, Errno.EMSGSIZE, out destination);
        }

        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        ReceiveRequest request = new() { Flags = flags, WantsControl = true };
        Blocking<ReceiveOutcome> call = SocketIo.Receive(task, socket, destination, request);
        return call.IsCompleted ? (Blocking<SyscallResult>)MessageReceived(task, socket, msg, header, call.Take()) : MessageReceivedLater(task, socket, msg, header, call);
    }

    private static async Blocking<SyscallResult> MessageReceivedLater(Task task, SocketDescription socket, UserPtr msg, GuestMessageHeader header, Blocking<ReceiveOutcome> call) =>
        MessageReceived(task, socket, msg, header, await call);

    private static SyscallResult MessageReceived(Task task, SocketDescription socket, UserPtr msg, in GuestMessageHeader header, ReceiveOutcome outcome)
    {
        if (outcome.Result.IsError || outcome.Result.IsRestart)
        {
            return outcome.Result;
        }

        ReceiveRequest request = outcome.Request;
        uint flags = request.ResultFlags | (request.Flags & MSG_CMSG_CLOEXEC);
        Errno error = ControlMessages.Write(task, socket, ref request, new UserPtr(header.Control), header.Control == 0 ? 0 : header.ControlLength, out ulong written, ref flags);
        if (error == Errno.None && header.Name != 0)
        {
            SocketAddress source = request.Source;
            error = task.Memory.CopyOut(new UserPtr(header.Name), source.Bytes[..(int)Math.Min(header.NameLength, (uint)source.Length)]);
            error = error != Errno.None ? error : task.Memory.CopyOut(msg.Offset(NameLengthAt), source.Length);
        }

        error = error != Errno.None ? error : task.Memory.CopyOut(msg.Offset(FlagsAt), flags);
        error = error != Errno.None ? error : task.Memory.CopyOut(msg.Offset(ControlLengthAt), written);
        return error != Errno.None ? error : outcome.Result;
    }

    private static async Blocking<SyscallResult> SendMessages(Task task, SocketDescription socket, UserPtr vector, uint count, uint flags)
    {
        int sent = 0;
        SyscallResult last = 0;
        while (sent < count)
        {
            UserPtr element = vector.Offset((ulong)sent * MultiMessageBytes);
            last = await SendMessage(task, socket, element, flags);
            if (last.IsError || last.IsRestart)
            {
                break;
            }

            Errno error = task.Memory.CopyOut(element.Offset(MultiMessageLengthAt), unchecked((int)last.Register));
            if (error != Errno.None)
            {
                last = error;
                break;
            }

            sent++;
        }

        socket.Unreference();
        return sent > 0 ? sent : last;
    }

    private static async Blocking<SyscallResult> ReceiveMessages(Task task, SocketDescription socket, UserPtr vector, uint count, uint flags, UserPtr timeout, long deadlineNs)
    {
        int received = 0;
        SyscallResult last = 0;
        bool waitsForOne = (flags & MSG_WAITFORONE) != 0;
        flags &= ~MSG_WAITFORONE;
        while (received < count)
        {
            UserPtr element = vector.Offset((ulong)received * MultiMessageBytes);
            last = await ReceiveMessage(task, socket, element, flags);
            if (last.IsError || last.IsRestart)
            {
                break;
            }

            Errno error = task.Memory.CopyOut(element.Offset(MultiMessageLengthAt), unchecked((int)last.Register));
            if (error != Errno.None)
            {
                last = error;
                break;
            }

            received++;
            flags |= waitsForOne ? MSG_DONTWAIT : 0;

            // The time limit is looked at between messages only, as on Linux (recvmmsg(2), BUGS).
            if (deadlineNs != GuestTime.Forever && KernelClock.MonotonicNs >= deadlineNs)
            {
                break;
            }
        }

        // An error behind the first message is told by the next call.
        if (received > 0 && last.IsError && last.Error != Errno.EAGAIN)
        {
            socket.Options.SetError(last.Error);
        }

        socket.Unreference();
        if (received > 0 && !timeout.IsNull)
        {
            _ = task.Memory.CopyOut(timeout, GuestTime.FromNs(GuestTime.Remaining(deadlineNs)));
        }

        return received > 0 ? received : last;
    }
}
