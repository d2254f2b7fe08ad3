// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Sockets;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>getsockopt, setsockopt.</content>
public static partial class Handlers
{
    /// <summary>getsockopt(2)</summary>
    public static partial SyscallResult Getsockopt(Task task, int sockfd, int level, int optname, UserPtr optval, UserPtr optlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return error;
        }

        error = task.Memory.CopyIn(optlen, out int room);
        if (error == Errno.None && room < 0)
        {
            error = Errno.EINVAL;
        }

        if (error == Errno.None)
        {
            Span<byte> value = stackalloc byte[SocketDescription.MaximumOptionBytes];
            error = socket.GetOption(task, level, optname, value, out int length);
            length = Math.Min(length, room);
            error = error != Errno.None ? error : task.Memory.CopyOut(optval, value[..length]);
            error = error != Errno.None ? error : task.Memory.CopyOut(optlen, length);
        }

        socket.Unreference();
        return error;
    }

    /// <summary>setsockopt(2)</summary>
    public static partial SyscallResult Setsockopt(Task task, int sockfd, int level, int optname, UserPtr optval, uint optlen)
    {
        Errno error = Descriptors.Get(task, sockfd, Errno.ENOTSOCK, out SocketDescription socket);
        if (error != Errno.None)
        {
            return error;
        }

        if (optlen > int.MaxValue)
        {
            error = Errno.EINVAL;
        }
        else
        {
            Span<byte> value = stackalloc byte[(int)Math.Min(optlen, SocketDescription.MaximumOptionBytes)];
            error = task.Memory.CopyIn(optval, value);
            error = error != Errno.None ? error : socket.SetOption(task, level, optname, value);
        }

        socket.Unreference();
        return error;
    }
}
