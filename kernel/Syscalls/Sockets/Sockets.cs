// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Sockets;
using CVisor.Syscalls.Support;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Syscalls;

/// <content>socket, socketpair, bind, listen, accept, accept4, connect, getsockname, getpeername, shutdown.</content>
public static partial class Handlers
{
    private const int SocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

    /// <summary>socket(2)</summary>
    public static partial SyscallResult Socket(Task task, int domain, int type, int protocol)
    {
        if ((type & ~(SOCK_TYPE_MASK | SocketFlags)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = SocketFactory.Create(task, domain, type & SOCK_TYPE_MASK, protocol, (OpenFlags)(type & SOCK_NONBLOCK), out SocketDescription? socket);
        return error != Errno.None ? error : Descriptors.Install(task, socket!, (type & SOCK_CLOEXEC) != 0);
    }

    /// <summary>socketpair(2)</summary>
    public static partial SyscallResult Socketpair(Task task, int domain, int type, int protocol, UserPtr sv)
    {
        if ((type & ~(SOCK_TYPE_MASK | SocketFlags)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = SocketFactory.CreatePair(
            task, domain, type & SOCK_TYPE_MASK, protocol, (OpenFlags)(type & SOCK_NONBLOCK), out SocketDescription? first, out SocketDescription? second);
        return error != Errno.None ? error : Descriptors.InstallPair(task, first!, second!, (type & SOCK_CLOEXEC) != 0, sv);
    }

    /// <summary>bind(2)</summary>
    public static partial Blocking<SyscallResult> Bind(Task task, int sockfd, UserPtr addr, uint addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = SocketAddresses.Read(task, addr, addrlen, out SocketAddress address);
        return Release(socket, error != Errno.None ? (SyscallResult)error : socket.Bind(task, address));
    }

    /// <summary>listen(2)</summary>
    public static partial SyscallResult Listen(Task task, int sockfd, int backlog)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error == Errno.None)
        {
            error = socket.Listen(task, backlog);
            socket.Unreference();
        }

        return error;
    }

    /// <summary>accept(2)</summary>
    public static partial Blocking<SyscallResult> Accept(Task task, int sockfd, UserPtr addr, UserPtr addrlen) => Accept4(task, sockfd, addr, addrlen, 0);

    /// <summary>accept4(2)</summary>
    public static partial Blocking<SyscallResult> Accept4(Task task, int sockfd, UserPtr addr, UserPtr addrlen, int flags)
    {
        if ((flags & ~SocketFlags) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        return error != Errno.None ? (SyscallResult)error : AcceptFrom(task, socket, addr, addrlen, flags);
    }

    /// <summary>connect(2)</summary>
    public static partial Blocking<SyscallResult> Connect(Task task, int sockfd, UserPtr addr, uint addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = SocketAddresses.Read(task, addr, addrlen, out SocketAddress address);
        return Release(socket, error != Errno.None ? (SyscallResult)error : socket.Connect(task, address));
    }

    /// <summary>getsockname(2)</summary>
    public static partial SyscallResult Getsockname(Task task, int sockfd, UserPtr addr, UserPtr addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error == Errno.None)
        {
            error = socket.GetName(out SocketAddress address);
            error = error != Errno.None ? error : SocketAddresses.Write(task, address, addr, addrlen);
            socket.Unreference();
        }

        return error;
    }

    /// <summary>getpeername(2)</summary>
    public static partial SyscallResult Getpeername(Task task, int sockfd, UserPtr addr, UserPtr addrlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error == Errno.None)
        {
            error = socket.GetPeerName(out SocketAddress address);
            error = error != Errno.None ? error : SocketAddresses.Write(task, address, addr, addrlen);
            socket.Unreference();
        }

        return error;
    }

    /// <summary>shutdown(2)</summary>
    public static partial SyscallResult Shutdown(Task task, int sockfd, int how)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error == Errno.None)
        {
            error = how is < SHUT_RD or > SHUT_RDWR ? Errno.EINVAL : socket.Shutdown(how != SHUT_WR, how != SHUT_RD);
            socket.Unreference();
        }

        return error;
    }

    /// <summary>Gives a description's reference back once a call is done.</summary>
    private static Blocking<SyscallResult> Release(FileDescription file, Blocking<SyscallResult> call)
    {
        if (!call.IsCompleted)
        {
            return ReleaseLater(file, call);
        }

        SyscallResult result = call.Take();
        file.Unreference();
        return result;
    }

    private static async Blocking<SyscallResult> ReleaseLater(FileDescription file, Blocking<SyscallResult> call)
    {
        SyscallResult result = await call;
        file.Unreference();
        return result;
    }

    private static async Blocking<SyscallResult> AcceptFrom(Task task, SocketDescription listener, UserPtr addr, UserPtr addrlen, int flags)
    {
        (SyscallResult result, SocketDescription? accepted) = await SocketIo.Accept(task, listener, (OpenFlags)(flags & SOCK_NONBLOCK));
        listener.Unreference();
        if (accepted is null)
        {
            return result;
        }

        // A peer that is gone already has no name any more, but is accepted all the same.
        _ = accepted.GetPeerName(out SocketAddress peer);
        Errno error = SocketAddresses.Write(task, peer, addr, addrlen);
        if (error != Errno.None)
        {
            accepted.Unreference();
            return error;
        }

        return Descriptors.Install(task, accepted, (flags & SOCK_CLOEXEC) != 0);
    }
}
