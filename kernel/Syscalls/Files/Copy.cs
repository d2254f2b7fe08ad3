// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;

namespace CVisor.Syscalls;

/// <content>sendfile, copy_file_range.</content>
public static partial class Handlers
{
    /// <summary>sendfile(2)</summary>
    public static partial Blocking<SyscallResult> Sendfile(Task task, int outFd, int inFd, UserPtr offset, ulong count)
    {
        long from = 0;
        if (!offset.IsNull)
        {
            Errno copied = task.Memory.CopyIn(offset, out from);
            if (copied != Errno.None)
            {
                return (SyscallResult)copied;
            }
        }

        Errno error = OpenBoth(task, inFd, outFd, out FileDescription source, out FileDescription target);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (!source.IsSeekable)
        {
            // Data of a pipe that found no room would be lost: the source must be one that can be read again.
            error = offset.IsNull ? Errno.EINVAL : Errno.ESPIPE;
        }
        else if (from < 0 || count > long.MaxValue || source.Inode?.Type == FileType.Directory || (target.Flags & OpenFlags.Append) != 0)
        {
            error = Errno.EINVAL;
        }

        if (error != Errno.None)
        {
            return (SyscallResult)ReleaseBoth(source, target, error);
        }

        from = offset.IsNull ? source.Seek(0, 1).Count : from;
        Blocking<SyscallResult> call = SpliceIo.Copy(task, source, from, target, -1, (long)Math.Min(count, MaximumTransfer));
        return offset.IsNull
            ? MoveOffsets(call, source, from, target, -1)
            : FinishTransfer(task, call, source, from, offset, target, -1, default);
    }

    /// <summary>copy_file_range(2)</summary>
    public static partial Blocking<SyscallResult> CopyFileRange(Task task, int fdIn, UserPtr offIn, int fdOut, UserPtr offOut, ulong len, uint flags)
    {
        Errno error = Support.Descriptors.Get(task, fdIn, out FileDescription source);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Support.Descriptors.Get(task, fdOut, out FileDescription target);
        if (error != Errno.None)
        {
            source.Unreference();
            return (SyscallResult)error;
        }

        error = PrepareRange(task, source, offIn, out long from);
        long to = 0;
        error = error != Errno.None ? error : PrepareRange(task, target, offOut, out to);
        error = error != Errno.None ? error : CheckRange(source, from, target, to, flags, ref len);
        if (error != Errno.None || len == 0)
        {
            return (SyscallResult)ReleaseBoth(source, target, error);
        }

        Blocking<SyscallResult> call = SpliceIo.Copy(task, source, from, target, to, unchecked((long)len));
        if (!offIn.IsNull && !offOut.IsNull)
        {
            return FinishTransfer(task, call, source, from, offIn, target, to, offOut);
        }

        // What has no offset of the guest's moves its own; the other is told.
        source.Reference();
        target.Reference();
        call = MoveOffsets(call, source, offIn.IsNull ? from : -1, target, offOut.IsNull ? to : -1);
        return FinishTransfer(task, call, source, from, offIn, target, to, offOut);
    }

    private static Errno PrepareRange(Task task, FileDescription file, UserPtr pointer, out long offset)
    {
        offset = 0;
        if (!pointer.IsNull)
        {
            return task.Memory.CopyIn(pointer, out offset);
        }

        IoResult here = file.Seek(0, 1);
        offset = here.IsError ? 0 : here.Count;
        return Errno.None;
    }

    /// <summary>What generic_copy_file_checks() refuses, and how much there is to copy.</summary>
    private static Errno CheckRange(FileDescription source, long from, FileDescription target, long to, uint flags, ref ulong length)
    {
        if (flags != 0)
        {
            return Errno.EINVAL;
        }

        if (source.Inode?.Type == FileType.Directory || target.Inode?.Type == FileType.Directory)
        {
            return Errno.EISDIR;
        }

        if (source.Inode?.Type != FileType.Regular || target.Inode?.Type != FileType.Regular)
        {
            return Errno.EINVAL;
        }

        if (!source.IsReadable || !target.IsWritable || (target.Flags & OpenFlags.Append) != 0)
        {
            return Errno.EBADF;
        }

        if (from < 0 || to < 0)
        {
            return Errno.EINVAL;
        }

        if (length > unchecked((ulong)(long.MaxValue - Math.Max(from, to)))) // both are positive
        {
            return Errno.EOVERFLOW;
        }

        Errno error = source.Inode.GetAttributes(out Attributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        ulong start = (ulong)from;
        length = Math.Min(Math.Min(length, MaximumTransfer), attributes.SizeBytes - Math.Min(start, attributes.SizeBytes));
        bool overlaps = source.Inode == target.Inode && (ulong)to < start + length && start < (ulong)to + length;
        return overlaps ? Errno.EINVAL : Errno.None;
    }

    /// <summary>Moves the offsets of the descriptions themselves on (-1 leaves one alone), and gives the files back.</summary>
    private static Blocking<SyscallResult> MoveOffsets(Blocking<SyscallResult> call, FileDescription source, long sourceOffset, FileDescription target, long targetOffset)
    {
        return call.IsCompleted ? (Blocking<SyscallResult>)Finish(call.Take()) : Later(call);

        async Blocking<SyscallResult> Later(Blocking<SyscallResult> running) => Finish(await running);

        SyscallResult Finish(SyscallResult result)
        {
            if (!result.IsError && !result.IsRestart)
            {
                _ = sourceOffset >= 0 ? source.Seek(sourceOffset + result.Register, 0) : 0;
                _ = targetOffset >= 0 ? target.Seek(targetOffset + result.Register, 0) : 0;
            }

            _ = ReleaseBoth(source, target, Errno.None);
            return result;
        }
    }
}
