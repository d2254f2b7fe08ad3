// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>splice, tee, vmsplice.</content>
public static partial class Handlers
{
    private const uint SpliceMove = 1, SpliceNonBlock = 2, SpliceMore = 4, SpliceGift = 8, SpliceAll = SpliceMove | SpliceNonBlock | SpliceMore | SpliceGift;

    /// <summary>splice(2)</summary>
    public static partial Blocking<SyscallResult> Splice(Task task, int fdIn, UserPtr offIn, int fdOut, UserPtr offOut, ulong len, uint flags)
    {
        Errno error = (flags & ~SpliceAll) != 0 ? Errno.EINVAL : Errno.None;
        if (error != Errno.None || len == 0)
        {
            return (SyscallResult)error;
        }

        error = OpenBoth(task, fdIn, fdOut, out FileDescription source, out FileDescription target);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        bool isFromPipe = source is PipeDescription;
        bool isToPipe = target is PipeDescription;
        long sourceOffset = -1;
        long targetOffset = -1;
        if ((isFromPipe && !offIn.IsNull) || (isToPipe && !offOut.IsNull))
        {
            error = Errno.ESPIPE;
        }
        else if (!isFromPipe && !isToPipe)
        {
            error = Errno.EINVAL;
        }
        else
        {
            error = ReadOffset(task, source, offIn, out sourceOffset);
            error = error != Errno.None ? error : ReadOffset(task, target, offOut, out targetOffset);
            bool isSame = isFromPipe && isToPipe && ((PipeDescription)source).Pipe == ((PipeDescription)target).Pipe;
            bool isUnfit = isSame || (isFromPipe && !isToPipe && (target.Flags & OpenFlags.Append) != 0) || source.Inode?.Type == FileType.Directory;
            error = error != Errno.None ? error : isUnfit ? Errno.EINVAL : Errno.None;
        }

        if (error != Errno.None)
        {
            return (SyscallResult)ReleaseBoth(source, target, error);
        }

        bool isNonBlocking = (flags & SpliceNonBlock) != 0 || (isFromPipe && source.IsNonBlocking) || (isToPipe && target.IsNonBlocking) ||
            (!isFromPipe && source.IsNonBlocking) || (!isToPipe && target.IsNonBlocking);
        SpliceTransfer transfer = new(source, sourceOffset, target, targetOffset, (long)Math.Min(len, MaximumTransfer), Keeps: false, isNonBlocking);
        return FinishTransfer(task, SpliceIo.Move(task, transfer), source, sourceOffset, offIn, target, targetOffset, offOut);
    }

    /// <summary>tee(2)</summary>
    public static partial Blocking<SyscallResult> Tee(Task task, int fdIn, int fdOut, ulong len, uint flags)
    {
        Errno error = (flags & ~SpliceAll) != 0 ? Errno.EINVAL : Errno.None;
        if (error != Errno.None || len == 0)
        {
            return (SyscallResult)error;
        }

        error = OpenBoth(task, fdIn, fdOut, out FileDescription source, out FileDescription target);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (source is not PipeDescription from || target is not PipeDescription to || from.Pipe == to.Pipe)
        {
            return (SyscallResult)ReleaseBoth(source, target, Errno.EINVAL);
        }

        bool isNonBlocking = (flags & SpliceNonBlock) != 0 || source.IsNonBlocking || target.IsNonBlocking;
        SpliceTransfer transfer = new(source, -1, target, -1, (long)Math.Min(len, MaximumTransfer), Keeps: true, isNonBlocking);
        return FinishTransfer(task, SpliceIo.Move(task, transfer), source, -1, default, target, -1, default);
    }

    /// <summary>vmsplice(2): the pages are copied, which nobody can tell from their being taken but by changing them afterwards.</summary>
    public static partial Blocking<SyscallResult> Vmsplice(Task task, int fd, UserPtr iov, ulong nrSegs, uint flags)
    {
        if ((flags & ~SpliceAll) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        IoBuffer buffer = default;
        error = file is not PipeDescription ? Errno.EBADF : IoVectors.Read(task, iov, nrSegs, Errno.EINVAL, out buffer);
        if (error != Errno.None || buffer.Remaining == 0)
        {
            file.Unreference();
            return (SyscallResult)error;
        }

        bool isWrite = file.IsWritable;
        IoResult result = isWrite ? FileTransfer.Write(task, file, ref buffer) : FileTransfer.Read(task, file, ref buffer);
        if (!result.WouldBlock || (flags & SpliceNonBlock) != 0)
        {
            file.Unreference();
            return (SyscallResult)result;
        }

        return ReleaseAfter(isWrite ? BlockingIo.Write(task, file, buffer) : BlockingIo.Read(task, file, buffer), file);
    }

    /// <summary>Finds the two files of a transfer: one that can be read, one that can be written.</summary>
    private static Errno OpenBoth(Task task, int fdIn, int fdOut, out FileDescription source, out FileDescription target)
    {
        target = null!;
        Errno error = OpenFor(task, fdIn, forWriting: false, out source);
        if (error != Errno.None)
        {
            return error;
        }

        error = OpenFor(task, fdOut, forWriting: true, out target);
        if (error != Errno.None)
        {
            source.Unreference();
        }

        return error;
    }

    /// <summary>Reads an offset that the guest gave; -1 when it gave none.</summary>
    /// <returns>None; EFAULT; EINVAL for a negative one; ESPIPE when the file has no positions.</returns>
    private static Errno ReadOffset(Task task, FileDescription file, UserPtr pointer, out long offset)
    {
        offset = -1;
        if (pointer.IsNull)
        {
            return Errno.None;
        }

        Errno error = task.Memory.CopyIn(pointer, out offset);
        return error != Errno.None ? error : !file.IsSeekable ? Errno.ESPIPE : offset < 0 ? Errno.EINVAL : Errno.None;
    }

    private static Errno ReleaseBoth(FileDescription source, FileDescription target, Errno error)
    {
        source.Unreference();
        target.Unreference();
        return error;
    }

    /// <summary>Tells the guest the offsets that it gave, moved on, and gives the files back.</summary>
    private static Blocking<SyscallResult> FinishTransfer(
        Task task, Blocking<SyscallResult> call, FileDescription source, long sourceOffset, UserPtr offIn, FileDescription target, long targetOffset, UserPtr offOut)
    {
        return call.IsCompleted ? (Blocking<SyscallResult>)Finish(call.Take()) : Later(call);

        async Blocking<SyscallResult> Later(Blocking<SyscallResult> running) => Finish(await running);

        SyscallResult Finish(SyscallResult result)
        {
            if (!result.IsError && !result.IsRestart)
            {
                Errno error = offIn.IsNull ? Errno.None : task.Memory.CopyOut(offIn, sourceOffset + result.Register);
                error = error != Errno.None || offOut.IsNull ? error : task.Memory.CopyOut(offOut, targetOffset + result.Register);
                result = error != Errno.None ? error : result;
            }

            _ = ReleaseBoth(source, target, Errno.None);
            return result;
        }
    }
}
