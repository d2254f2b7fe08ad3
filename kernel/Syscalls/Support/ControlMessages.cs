// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Sockets;
using CVisor.Sockets.Inet;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Syscalls.Support;

/// <summary>Control messages of sendmsg(2) and recvmsg(2) (cmsg(3)).</summary>
internal static class ControlMessages
{
    // struct cmsghdr: a length with the header, a level, a type.
    private const int HeaderBytes = 16;

    // net.core.optmem_max is more; nothing that is supported needs as much.
    private const int MaximumBytes = 10240;

    /// <summary>Reads what is to be sent.</summary>
    /// <param name="task">The sender.</param>
    /// <param name="socket">The socket; only Unix sockets pass descriptions and credentials.</param>
    /// <param name="pointer">The control messages.</param>
    /// <param name="length">Their length in bytes.</param>
    /// <param name="request">Gets the rights, each with a reference, and the credentials.</param>
    /// <returns>None; EINVAL; EBADF; EPERM; ENOBUFS; ETOOMANYREFS; EFAULT. In a failure no reference is held.</returns>
    internal static Errno Read(Task task, SocketDescription socket, UserPtr pointer, ulong length, ref SendRequest request)
    {
        if (length == 0)
        {
            return Errno.None;
        }

        if (length > MaximumBytes)
        {
            return Errno.ENOBUFS;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent((int)length);
        Span<byte> bytes = rented.AsSpan(0, (int)length);
        Errno error = task.Memory.CopyIn(pointer, bytes);
        if (error == Errno.None)
        {
            error = Parse(task, socket, bytes, ref request);
        }

        ArrayPool<byte>.Shared.Return(rented);
        if (error != Errno.None)
        {
            SocketIo.DropRights(request.Rights);
            request.Rights = null;
        }

        return error;
    }

    /// <summary>Writes what was received; descriptions get numbers, and those that find no room are closed.</summary>
    /// <param name="task">The receiver.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="request">What was received; its rights are taken.</param>
    /// <param name="pointer">Where to.</param>
    /// <param name="room">How much room there is in bytes.</param>
    /// <param name="written">How much was used.</param>
    /// <param name="flags">Gets MSG_CTRUNC when something was left out.</param>
    internal static Errno Write(Task task, SocketDescription socket, ref ReceiveRequest request, UserPtr pointer, ulong room, out ulong written, ref uint flags)
    {
        written = 0;
        Span<byte> data = stackalloc byte[32];
        Errno error = Errno.None;
        if (request.Credentials is { } credentials)
        {
            BinaryPrimitives.WriteInt32LittleEndian(data, credentials.Pid);
            BinaryPrimitives.WriteUInt32LittleEndian(data[4..], credentials.Uid);
            BinaryPrimitives.WriteUInt32LittleEndian(data[8..], credentials.Gid);
            error = Put(task, pointer, room, ref written, SOL_SOCKET, SCM_CREDENTIALS, data[..12], ref flags);
        }

        if (error == Errno.None && socket is InetSocket inet)
        {
            error = InternetMessages.Write(task, inet, request, pointer, room, ref written, ref flags);
        }

        if (request.Rights is { } rights)
        {
            request.Rights = null;
            error = error != Errno.None ? DropAll(rights, error) : PutRights(task, rights, pointer, room, ref written, (request.Flags & MSG_CMSG_CLOEXEC) != 0, ref flags);
        }

        return error;
    }

    private static Errno Parse(Task task, SocketDescription socket, ReadOnlySpan<byte> bytes, ref SendRequest request)
    {
        while (bytes.Length >= HeaderBytes)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            int level = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
            int type = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            if (length < HeaderBytes || length > (ulong)bytes.Length)
            {
                return Errno.EINVAL;
            }

            ReadOnlySpan<byte> data = bytes[HeaderBytes..(int)length];
            if (socket.Family == AF_UNIX && level == SOL_SOCKET)
            {
                Errno error = type switch
                {
                    SCM_RIGHTS => ReadRights(task, data, ref request),
                    SCM_CREDENTIALS => ReadCredentials(task, data, ref request),
                    _ => Errno.EINVAL,
                };
                if (error != Errno.None)
                {
                    return error;
                }
            }

            else if (socket is InetSocket inet)
            {
                Errno error = InternetMessages.Read(inet, level, type, data, ref request);
                if (error != Errno.None)
                {
                    return error;
                }
            }

            int next = ((int)length + 7) & ~7;
            bytes = next >= bytes.Length ? default : bytes[next..];
        }

        return Errno.None;
    }

    private static Errno ReadRights(Task task, ReadOnlySpan<byte> data, ref SendRequest request)
    {
        int count = data.Length / sizeof(int);
        List<FileDescription> files = [.. request.Rights ?? []];
        if (files.Count + count > SCM_MAX_FD)
        {
            return Errno.EINVAL;
        }

        Errno error = Errno.None;
        for (int i = 0; i < count && error == Errno.None; i++)
        {
            FileDescription? file = task.Descriptors.Get(BinaryPrimitives.ReadInt32LittleEndian(data[(i * sizeof(int))..]));
            if (file is null)
            {
                error = Errno.EBADF;
            }
            else
            {
                files.Add(file);
            }
        }

        request.Rights = files.Count == 0 ? null : [.. files];
        return error == Errno.None && !SocketRights.HaveRoom(count) ? Errno.ETOOMANYREFS : error;
    }

    private static Errno ReadCredentials(Task task, ReadOnlySpan<byte> data, ref SendRequest request)
    {
        if (data.Length != 12)
        {
            return Errno.EINVAL;
        }

        int pid = BinaryPrimitives.ReadInt32LittleEndian(data);
        uint uid = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
        uint gid = BinaryPrimitives.ReadUInt32LittleEndian(data[8..]);
        UserCredentials own = task.Credentials;
        bool mayPid = pid == task.ThreadGroup.Pid || own.Has(Capability.SysAdmin);
        bool mayUid = uid == own.RealUid || uid == own.EffectiveUid || uid == own.SavedUid || own.Has(Capability.Setuid);
        bool mayGid = gid == own.RealGid || gid == own.EffectiveGid || gid == own.SavedGid || own.Has(Capability.Setgid);
        request.Credentials = new SocketCredentials(pid, uid, gid);
        return mayPid && mayUid && mayGid ? Errno.None : Errno.EPERM;
    }

    /// <summary>Writes one message, or as much of it as there is room for.</summary>
    internal static Errno Put(Task task, UserPtr pointer, ulong room, ref ulong written, int level, int type, ReadOnlySpan<byte> data, ref uint flags)
    {
        ulong left = room - written;
        if (left < HeaderBytes)
        {
            flags |= MSG_CTRUNC;
            return Errno.None;
        }

        int length = unchecked((int)Math.Min(left, (ulong)(HeaderBytes + data.Length))); // no more than what there is
        flags |= length < HeaderBytes + data.Length ? MSG_CTRUNC : 0;
        Span<byte> message = stackalloc byte[HeaderBytes + 32];
        WriteHeader(message, length, level, type);
        data.CopyTo(message[HeaderBytes..]);
        Errno error = task.Memory.CopyOut(pointer.Offset(written), message[..length]);
        written += Math.Min(left, ((ulong)length + 7) & ~7UL);
        return error;
    }

    private static Errno PutRights(Task task, FileDescription[] rights, UserPtr pointer, ulong room, ref ulong written, bool closeOnExec, ref uint flags)
    {
        ulong left = room - written;
        int fit = left < HeaderBytes ? 0 : (int)Math.Min((left - HeaderBytes) / sizeof(int), (ulong)rights.Length);
        Span<byte> message = stackalloc byte[HeaderBytes + (SCM_MAX_FD * sizeof(int))];
        int installed = 0;
        while (installed < fit)
        {
            FileDescription file = rights[installed];
            if (task.Descriptors.Install(file, closeOnExec, task.FileLimit, out int fd) != Errno.None)
            {
                break;
            }

            BinaryPrimitives.WriteInt32LittleEndian(message[(HeaderBytes + (installed * sizeof(int)))..], fd);
            installed++;
        }

        if (installed < rights.Length)
        {
            flags |= MSG_CTRUNC;
            SocketIo.DropRights(rights[installed..]);
        }

        if (installed == 0)
        {
            return Errno.None;
        }

        int length = HeaderBytes + (installed * sizeof(int));
        WriteHeader(message, length, SOL_SOCKET, SCM_RIGHTS);
        Errno error = task.Memory.CopyOut(pointer.Offset(written), message[..length]);
        written += Math.Min(left, ((ulong)length + 7) & ~7UL);
        return error;
    }

    private static void WriteHeader(Span<byte> message, int length, int level, int type)
    {
        BinaryPrimitives.WriteInt64LittleEndian(message, length);
        BinaryPrimitives.WriteInt32LittleEndian(message[8..], level);
        BinaryPrimitives.WriteInt32LittleEndian(message[12..], type);
    }

    private static Errno DropAll(FileDescription[] rights, Errno error)
    {
        SocketIo.DropRights(rights);
        return error;
    }
}
