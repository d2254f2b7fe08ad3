// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Core.Vfs;

/// <summary>Reads and writes that wait when the description is not O_NONBLOCK: the layer between read(2) and <see cref="FileDescription"/>.</summary>
/// <remarks>The ready case neither stands in a queue nor allocates.</remarks>
public static class BlockingIo
{
    /// <summary>read(2) and its family.</summary>
    /// <param name="task">The reader.</param>
    /// <param name="file">The file; the caller checked that it is readable and holds a reference.</param>
    /// <param name="destination">Where to.</param>
    /// <returns>Bytes read, an errno, or a restart when a signal came first.</returns>
    public static Blocking<SyscallResult> Read(Task task, FileDescription file, IoBuffer destination)
    {
        IoResult result = FileTransfer.Read(task, file, ref destination);
        return result.WouldBlock && !file.IsNonBlocking && file.Queue is not null
            ? file.FinishRead(task, destination)
            : (SyscallResult)result;
    }

    /// <summary>write(2) and its family.</summary>
    /// <param name="task">The writer.</param>
    /// <param name="file">The file; the caller checked that it is writable and holds a reference.</param>
    /// <param name="source">Where from.</param>
    /// <returns>Bytes written, an errno, or a restart when a signal came before the first byte.</returns>
    public static Blocking<SyscallResult> Write(Task task, FileDescription file, IoBuffer source)
    {
        IoResult result = FileTransfer.Write(task, file, ref source);
        bool goesOn = result.WouldBlock || (!result.IsError && file.WritesWhole && source.Remaining > 0);
        return goesOn && !file.IsNonBlocking && file.Queue is { } queue
            ? WriteLater(task, file, queue, source, result.Count)
            : (SyscallResult)result;
    }

    /// <summary>Waits until a read says something else than EAGAIN.</summary>
    internal static async Blocking<SyscallResult> ReadLater(Task task, FileDescription file, WaitQueue queue, IoBuffer destination)
    {
        long deadlineNs = Deadline(file.ReadTimeoutNs);
        task.PrepareToWait();
        queue.Add(task.Waiter, PollEvents.AllIn | PollEvents.Err | PollEvents.Hup | PollEvents.RdHup);
        try
        {
            while (true)
            {
                IoResult result = FileTransfer.Read(task, file, ref destination);
                if (!result.WouldBlock)
                {
                    return result;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return Errno.EAGAIN;
                    case BlockOutcome.Interrupted:
                        return Interrupted(deadlineNs);
                }
            }
        }
        finally
        {
            queue.Remove(task.Waiter);
        }
    }

    private static async Blocking<SyscallResult> WriteLater(Task task, FileDescription file, WaitQueue queue, IoBuffer source, long done)
    {
        long deadlineNs = Deadline(file.WriteTimeoutNs);
        task.PrepareToWait();
        queue.Add(task.Waiter, PollEvents.AllOut | PollEvents.Err | PollEvents.Hup);
        try
        {
            while (true)
            {
                IoResult result = FileTransfer.Write(task, file, ref source);
                if (!result.IsError)
                {
                    done += result.Count;
                    if (!file.WritesWhole || source.Remaining == 0)
                    {
                        return done;
                    }

                    continue;
                }

                if (!result.WouldBlock)
                {
                    return done > 0 ? done : (SyscallResult)result;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return done > 0 ? done : Errno.EAGAIN;
                    case BlockOutcome.Interrupted:
                        return done > 0 ? done : Interrupted(deadlineNs);
                }
            }
        }
        finally
        {
            queue.Remove(task.Waiter);
        }
    }

    private static long Deadline(long timeoutNs)
    {
        if (timeoutNs == long.MaxValue)
        {
            return timeoutNs;
        }

        long nowNs = KernelClock.MonotonicNs;
        return timeoutNs >= long.MaxValue - nowNs ? long.MaxValue : nowNs + timeoutNs;
    }

    // A call with a time limit is not made again (signal(7)).
    private static SyscallResult Interrupted(long deadlineNs) =>
        deadlineNs == long.MaxValue ? SyscallResult.Restarts(Restart.IfHandlerAllows) : Errno.EINTR;
}
