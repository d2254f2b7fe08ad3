// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Pipes;

/// <summary>Moves data between two open files without the guest's memory (splice(2), tee(2), sendfile(2), copy_file_range(2)): the waiting around what <see cref="Pipe"/> does.</summary>
public static class SpliceIo
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Copies from a file that can be sought in to any other, waiting for room where that is not O_NONBLOCK.</summary>
    /// <param name="task">Who.</param>
    /// <param name="source">Where from; readable and seekable.</param>
    /// <param name="sourceOffset">Where in it, in bytes; its own offset does not move.</param>
    /// <param name="target">Where to; writable.</param>
    /// <param name="targetOffset">Where in it, in bytes; -1 for its own offset.</param>
    /// <param name="length">The most to copy.</param>
    /// <returns>Bytes copied; what stopped it when that was before the first.</returns>
    public static async Blocking<SyscallResult> Copy(Task task, FileDescription source, long sourceOffset, FileDescription target, long targetOffset, long length)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, PieceBytes));
        long total = 0;
        try
        {
            while (total < length)
            {
                IoBuffer read = new(bytes.AsMemory(0, (int)Math.Min(length - total, bytes.Length)));
                IoResult got = FileTransfer.Read(task, source, ref read, sourceOffset + total);
                if (got.Count == 0)
                {
                    return total > 0 ? total : (SyscallResult)got;
                }

                IoBuffer write = new(bytes.AsMemory(0, (int)Math.Min(got.Count, bytes.Length)));
                SyscallResult put = targetOffset < 0
                    ? await BlockingIo.Write(task, target, write)
                    : (SyscallResult)FileTransfer.Write(task, target, ref write, targetOffset + total);
                if (put.IsError || put.IsRestart)
                {
                    return total > 0 ? total : put;
                }

                total += put.Register;
                if (put.Register < got.Count)
                {
                    break;
                }
            }

            return total;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Moves data between two files of which one is a pipe at least; waits until something can be moved.</summary>
    /// <param name="task">Who.</param>
    /// <param name="transfer">What.</param>
    /// <returns>Bytes; 0 at the end; EAGAIN; EPIPE; the other file's errno; a restart.</returns>
    public static Blocking<SyscallResult> Move(Task task, SpliceTransfer transfer)
    {
        IoResult result = transfer.Try(task);
        return result.WouldBlock && !transfer.IsNonBlocking ? MoveLater(task, transfer) : Finish(task, transfer, result);
    }

    private static async Blocking<SyscallResult> MoveLater(Task task, SpliceTransfer transfer)
    {
        Waiter other = task.CreateWaiter();
        task.PrepareToWait();
        transfer.Source.Queue?.Add(task.Waiter, PollEvents.AllIn | PollEvents.Err | PollEvents.Hup);
        transfer.Target.Queue?.Add(other, PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
        try
        {
            while (true)
            {
                IoResult result = transfer.Try(task);
                if (!result.WouldBlock)
                {
                    return Finish(task, transfer, result);
                }

                if (await task.Block() != BlockOutcome.Woken)
                {
                    return SyscallResult.Restarts(Restart.IfHandlerAllows);
                }
            }
        }
        finally
        {
            transfer.Source.Queue?.Remove(task.Waiter);
            transfer.Target.Queue?.Remove(other);
        }
    }

    private static SyscallResult Finish(Task task, in SpliceTransfer transfer, IoResult result)
    {
        if (result.Error == Errno.EPIPE && transfer.Target is PipeDescription)
        {
            BrokenPipe.Signal(task); // Other files have done so themselves.
        }

        return result;
    }
}

/// <summary>One splice(2) or tee(2).</summary>
/// <param name="Source">Where from.</param>
/// <param name="SourceOffset">Where in it, in bytes; -1 for its own offset, or a pipe.</param>
/// <param name="Target">Where to.</param>
/// <param name="TargetOffset">Where in it, in bytes; -1 for its own offset, or a pipe.</param>
/// <param name="Length">The most to move.</param>
/// <param name="Keeps">Whether the source keeps the data (tee); both are pipes then.</param>
/// <param name="IsNonBlocking">Whether EAGAIN is an answer.</param>
public readonly record struct SpliceTransfer(
    FileDescription Source, long SourceOffset, FileDescription Target, long TargetOffset, long Length, bool Keeps, bool IsNonBlocking)
{
    /// <summary>Moves what can be moved now.</summary>
    internal IoResult Try(Task task)
    {
        if (Source is not PipeDescription from)
        {
            return ((PipeDescription)Target).Pipe.FillFrom(task, Source, SourceOffset, Length);
        }

        return Target is PipeDescription to ? from.Pipe.TransferTo(to.Pipe, Length, Keeps) : from.Pipe.DrainTo(task, Target, TargetOffset, Length);
    }
}
