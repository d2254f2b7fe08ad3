// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>What a receive came to.</summary>
/// <param name="Result">Bytes, an errno or a restart.</param>
/// <param name="Request">What came beside the bytes.</param>
public readonly record struct ReceiveOutcome(SyscallResult Result, ReceiveRequest Request);

/// <summary>Sending, receiving and accepting with the waiting: the layer between the system calls and <see cref="SocketDescription"/>.</summary>
public static class SocketIo
{
    private const PollEvents Readable = PollEvents.AllIn | PollEvents.Err | PollEvents.Hup | PollEvents.RdHup;
    private const PollEvents Writable = PollEvents.AllOut | PollEvents.Err | PollEvents.Hup;

    /// <summary>The deadline of a timeout from now on.</summary>
    public static long Deadline(long timeoutNs)
    {
        if (timeoutNs == long.MaxValue)
        {
            return long.MaxValue;
        }

        long nowNs = KernelClock.MonotonicNs;
        return timeoutNs >= long.MaxValue - nowNs ? long.MaxValue : nowNs + timeoutNs;
    }

    /// <summary>How a wait that a signal cut short ends: with a time limit it is not made again (sock_intr_errno()).</summary>
    public static SyscallResult Interrupted(long timeoutNs) =>
        timeoutNs == long.MaxValue ? SyscallResult.Restarts(Restart.IfHandlerAllows) : Errno.EINTR;

    /// <summary>send(2) and its family. Rights that were not taken are given back.</summary>
    public static Blocking<SyscallResult> Send(Task task, SocketDescription socket, IoBuffer source, SendRequest request)
    {
        IoResult result = socket.Send(task, ref source, ref request);
        bool waits = !socket.IsNonBlocking && (request.Flags & MSG_DONTWAIT) == 0;
        if (waits && (result.WouldBlock || (!result.IsError && socket.WritesWhole && source.Remaining > 0)))
        {
            return SendLater(task, socket, source, request, result.Count);
        }

        DropRights(request.Rights);
        return (SyscallResult)result;
    }

    /// <summary>recv(2) and its family.</summary>
    public static Blocking<ReceiveOutcome> Receive(Task task, SocketDescription socket, IoBuffer destination, ReceiveRequest request)
    {
        IoResult result = socket.Receive(task, ref destination, ref request);
        bool waits = !socket.IsNonBlocking && (request.Flags & MSG_DONTWAIT) == 0;
        bool isShort = (request.Flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && socket.WritesWhole && result.Count > 0 && destination.Remaining > 0 && request.Rights is null;
        return waits && (result.WouldBlock || isShort)
            ? ReceiveLater(task, socket, destination, request, result.Count)
            : new ReceiveOutcome(result, request);
    }

    /// <summary>accept(2): waits for a connection unless the listener is O_NONBLOCK.</summary>
    /// <param name="task">Who.</param>
    /// <param name="listener">The listening socket.</param>
    /// <param name="flags">O_NONBLOCK for the new socket.</param>
    /// <returns>The new socket with one reference, or why there is none.</returns>
    public static async Blocking<(SyscallResult Result, SocketDescription? Socket)> Accept(Task task, SocketDescription listener, OpenFlags flags)
    {
        Errno error = listener.Accept(flags, out SocketDescription? accepted);
        if (error != Errno.EAGAIN || listener.IsNonBlocking)
        {
            return (error, accepted);
        }

        long timeoutNs = listener.Options.ReceiveTimeoutNs;
        long deadlineNs = Deadline(timeoutNs);
        task.PrepareToWait();
        listener.Queue.Add(task.Waiter, Readable);
        try
        {
            while (true)
            {
                error = listener.Accept(flags, out accepted);
                if (error != Errno.EAGAIN)
                {
                    return (error, accepted);
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return (Errno.EAGAIN, null);
                    case BlockOutcome.Interrupted:
                        return (Interrupted(timeoutNs), null);
                }
            }
        }
        finally
        {
            listener.Queue.Remove(task.Waiter);
        }
    }

    private static async Blocking<SyscallResult> SendLater(Task task, SocketDescription socket, IoBuffer source, SendRequest request, long done)
    {
        long timeoutNs = socket.Options.SendTimeoutNs;
        long deadlineNs = Deadline(timeoutNs);
        WaitQueue queue = request.WaitOn ?? socket.Queue;
        task.PrepareToWait();
        queue.Add(task.Waiter, Writable);
        try
        {
            while (true)
            {
                IoResult result = socket.Send(task, ref source, ref request);
                if (!result.IsError)
                {
                    done += result.Count;
                    if (!socket.WritesWhole || source.Remaining == 0)
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
                        return done > 0 ? done : Interrupted(timeoutNs);
                }
            }
        }
        finally
        {
            queue.Remove(task.Waiter);
            DropRights(request.Rights);
        }
    }

    private static async Blocking<ReceiveOutcome> ReceiveLater(Task task, SocketDescription socket, IoBuffer destination, ReceiveRequest request, long done)
    {
        long timeoutNs = socket.Options.ReceiveTimeoutNs;
        long deadlineNs = Deadline(timeoutNs);
        bool wantsAll = (request.Flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && socket.WritesWhole;
        task.PrepareToWait();
        socket.Queue.Add(task.Waiter, Readable);
        try
        {
            while (true)
            {
                IoResult result = socket.Receive(task, ref destination, ref request);
                if (!result.WouldBlock)
                {
                    done += result.Count;
                    if (result.IsError || result.Count == 0 || !wantsAll || destination.Remaining == 0 || request.Rights is not null)
                    {
                        return new ReceiveOutcome(done > 0 ? done : (SyscallResult)result, request);
                    }

                    continue;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return new ReceiveOutcome(done > 0 ? done : Errno.EAGAIN, request);
                    case BlockOutcome.Interrupted:
                        return new ReceiveOutcome(done > 0 ? done : Interrupted(timeoutNs), request);
                }
            }
        }
        finally
        {
            socket.Queue.Remove(task.Waiter);
        }
    }

    [ThreadStatic]
    private static Queue<FileDescription>? t_dropped;

    /// <summary>Gives the references of descriptions that nobody takes back. Call it without locks.</summary>
    /// <remarks>A closed socket may drop further sockets, and so on: these are queued, for a guest may build chains of any length.</remarks>
    public static void DropRights(FileDescription[]? rights)
    {
        if (rights is null || rights.Length == 0)
        {
            return;
        }

        if (t_dropped is { } outer)
        {
            foreach (FileDescription file in rights)
            {
                outer.Enqueue(file);
            }

            return;
        }

        Queue<FileDescription> queue = new(rights);
        t_dropped = queue;
        try
        {
            while (queue.TryDequeue(out FileDescription? file))
            {
                file.Unreference();
            }
        }
        finally
        {
            t_dropped = null;
        }
    }
}
