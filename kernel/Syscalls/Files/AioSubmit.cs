// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Aio;
using CVisor.FileSystems.Eventfd;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <summary>struct iocb.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(64)]
internal struct GuestIocb
{
    internal ulong Data;
    internal uint Key;
    internal int RwFlags;
    internal ushort Operation;
    internal short Priority;
    internal uint Descriptor;
    internal ulong Buffer;
    internal ulong Length;
    internal long Offset;
    internal ulong Reserved;
    internal uint Flags;
    internal uint EventDescriptor;
}

/// <content>io_submit.</content>
public static partial class Handlers
{
    private const ushort AioRead = 0, AioWrite = 1, AioSync = 2, AioDataSync = 3, AioReadVector = 7, AioWriteVector = 8;

    /// <summary>io_submit(2): each operation is carried out at once, as Linux does for buffered files, pipes and sockets.</summary>
    public static partial Blocking<SyscallResult> IoSubmit(Task task, ulong ctx, long nr, UserPtr iocbpp)
    {
        if (AioContexts.Of(task.Memory).Find(ctx) is not { } context || nr < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        return nr == 0 ? (SyscallResult)0 : SubmitAll(task, context, nr, iocbpp);
    }

    private static async Blocking<SyscallResult> SubmitAll(Task task, AioContext context, long count, UserPtr pointers)
    {
        for (long done = 0; done < count; done++)
        {
            Errno error = task.Memory.CopyIn(pointers.Offset(unchecked((ulong)done * sizeof(ulong))), out ulong address);
            error = error != Errno.None ? error : await Submit(task, context, new UserPtr(address));
            if (error != Errno.None)
            {
                return done > 0 ? done : error;
            }
        }

        return count;
    }

    private static async Blocking<Errno> Submit(Task task, AioContext context, UserPtr address)
    {
        const uint ResultToEventfd = 1, Priority = 2;
        Errno error = task.Memory.CopyIn(address, out GuestIocb wanted);
        if (error != Errno.None)
        {
            return error;
        }

        if (wanted.Reserved != 0 || wanted.Length > long.MaxValue || (wanted.Flags & ~(ResultToEventfd | Priority)) != 0)
        {
            return Errno.EINVAL;
        }

        error = context.Begin();
        if (error != Errno.None)
        {
            return error;
        }

        EventfdDescription? notified = null;
        error = Descriptors.Get(task, unchecked((int)wanted.Descriptor), out FileDescription file);
        if (error == Errno.None && (wanted.Flags & ResultToEventfd) != 0)
        {
            error = Descriptors.Get(task, unchecked((int)wanted.EventDescriptor), Errno.EINVAL, out EventfdDescription eventfd);
            notified = error == Errno.None ? eventfd : null;
        }

        error = error != Errno.None ? error : task.Memory.CopyOut(address.Offset(8), 0u); // KIOCB_KEY
        IoBuffer buffer = default;
        error = error != Errno.None ? error : PrepareOperation(task, file, wanted, out buffer);
        if (error != Errno.None)
        {
            context.Cancel();
        }
        else
        {
            SyscallResult result = await Perform(task, file, wanted, buffer);
            context.Finish(new AioEvent(wanted.Data, address.Address, result.IsRestart ? -(long)Errno.EINTR : result.Register, 0));
            notified?.Signal(1);
        }

        notified?.Unreference();
        file?.Unreference();
        return error;
    }

    private static Errno PrepareOperation(Task task, FileDescription file, in GuestIocb wanted, out IoBuffer buffer)
    {
        buffer = default;
        const int KnownRwFlags = RwfHighPriority | RwfDataSync | RwfSync | RwfNoWait | RwfAppend;
        switch (wanted.Operation)
        {
            case AioRead or AioWrite or AioReadVector or AioWriteVector:
                bool isWrite = wanted.Operation is AioWrite or AioWriteVector;
                if (!(isWrite ? file.IsWritable : file.IsReadable))
                {
                    return Errno.EBADF;
                }

                if ((wanted.RwFlags & ~KnownRwFlags) != 0)
                {
                    return Errno.EOPNOTSUPP;
                }

                if (wanted.Operation is AioReadVector or AioWriteVector)
                {
                    return IoVectors.Read(task, new UserPtr(wanted.Buffer), wanted.Length, Errno.EINVAL, out buffer);
                }

                buffer = IoVectors.One(task, new UserPtr(wanted.Buffer), wanted.Length);
                return Errno.None;
            case AioSync or AioDataSync:
                return wanted.Buffer != 0 || wanted.Length != 0 || wanted.Offset != 0 || wanted.RwFlags != 0 ? Errno.EINVAL : Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    private static Blocking<SyscallResult> Perform(Task task, FileDescription file, in GuestIocb wanted, IoBuffer buffer)
    {
        if (wanted.Operation is AioSync or AioDataSync)
        {
            return (SyscallResult)file.Sync(wanted.Operation == AioDataSync);
        }

        bool isWrite = wanted.Operation is AioWrite or AioWriteVector;
        if (!file.IsSeekable)
        {
            return isWrite ? BlockingIo.Write(task, file, buffer) : BlockingIo.Read(task, file, buffer);
        }

        if (wanted.Offset < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        IoResult result = !isWrite ? FileTransfer.Read(task, file, ref buffer, wanted.Offset)
            : (wanted.RwFlags & RwfAppend) != 0 ? FileTransfer.Append(task, file, ref buffer, out _)
            : FileTransfer.Write(task, file, ref buffer, wanted.Offset);
        bool syncs = result.Count > 0 && isWrite && (wanted.RwFlags & (RwfSync | RwfDataSync)) != 0;
        Errno error = syncs ? file.Sync((wanted.RwFlags & RwfSync) == 0) : Errno.None;
        return error != Errno.None ? (SyscallResult)error : (SyscallResult)result;
    }
}
