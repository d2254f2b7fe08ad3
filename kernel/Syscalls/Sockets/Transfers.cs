// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Sockets;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>sendto, recvfrom.</content>
public static partial class Handlers
{
    /// <summary>sendto(2)</summary>
    public static partial Blocking<SyscallResult> Sendto(Task task, int sockfd, UserPtr buf, ulong len, int flags, UserPtr destAddr, uint addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        SendRequest request = new() { Flags = unchecked((uint)flags) };
        if (!destAddr.IsNull)
        {
            error = SocketAddresses.Read(task, destAddr, addrlen, out request.Destination);
        }

        return Release(socket, error != Errno.None ? (SyscallResult)error : SocketIo.Send(task, socket, IoVectors.One(task, buf, len), request));
    }

    /// <summary>recvfrom(2)</summary>
    public static partial Blocking<SyscallResult> Recvfrom(Task task, int sockfd, UserPtr buf, ulong len, int flags, UserPtr srcAddr, UserPtr addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        Blocking<ReceiveOutcome> call = SocketIo.Receive(task, socket, IoVectors.One(task, buf, len), new ReceiveRequest { Flags = unchecked((uint)flags) });
        return call.IsCompleted ? (Blocking<SyscallResult>)Received(task, socket, call.Take(), srcAddr, addrlen) : ReceivedLater(task, socket, call, srcAddr, addrlen);
    }

    private static async Blocking<SyscallResult> ReceivedLater(Task task, SocketDescription socket, Blocking<ReceiveOutcome> call, UserPtr srcAddr, UserPtr addrlen) =>
        Received(task, socket, await call, srcAddr, addrlen);

    private static SyscallResult Received(Task task, SocketDescription socket, ReceiveOutcome outcome, UserPtr srcAddr, UserPtr addrlen)
    {
        socket.Unreference();
        if (outcome.Result.IsError || outcome.Result.IsRestart)
        {
            return outcome.Result;
        }

        Errno error = SocketAddresses.Write(task, outcome.Request.Source, srcAddr, addrlen);
        return error != Errno.None ? error : outcome.Result;
    }
}
