// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Ipc;

/// <summary>A System V message queue (msgget(2)).</summary>
public sealed class SystemMessageQueue : IpcObject
{
    /// <summary>The longest message in bytes (msgmax).</summary>
    public const int MaximumMessageBytes = 8192;

    /// <summary>What a queue holds in bytes unless it is told otherwise (msgmnb).</summary>
    public const int DefaultCapacityBytes = 16384;

    private const int NoWait = 0x800, NoError = 0x1000, Except = 0x2000;

    [GuardedBy(nameof(Lock))]
    private readonly LinkedList<Entry> _messages = new();

    /// <summary>Makes an empty queue.</summary>
    public SystemMessageQueue(Task creator, int key, uint mode)
        : base(creator, key, mode)
    {
    }

    private readonly record struct Entry(long Type, byte[] Text);

    /// <summary>Last msgsnd, in seconds since the epoch.</summary>
    public long SendSeconds { get; private set; }

    /// <summary>Last msgrcv.</summary>
    public long ReceiveSeconds { get; private set; }

    /// <summary>Who sent last.</summary>
    public int LastSender { get; private set; }

    /// <summary>Who received last.</summary>
    public int LastReceiver { get; private set; }

    /// <summary>Bytes in the queue.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The most bytes in the queue (msg_qbytes).</summary>
    public long CapacityBytes { get; private set; } = DefaultCapacityBytes;

    /// <summary>Messages in the queue.</summary>
    public int Count
    {
        get
        {
            lock (Lock)
            {
                return _messages.Count;
            }
        }
    }

    /// <summary>IPC_SET of msg_qbytes.</summary>
    public void SetCapacity(long bytes)
    {
        lock (Lock)
        {
            CapacityBytes = bytes;
        }

        Queue.NotifyAll(PollEvents.Any);
    }

    /// <summary>msgsnd(2).</summary>
    /// <returns>None; EAGAIN with IPC_NOWAIT; EIDRM; EINTR.</returns>
    public async Blocking<SyscallResult> Send(Task task, long type, byte[] text, int flags)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllOut);
        try
        {
            while (true)
            {
                Errno error = TrySend(task, type, text);
                if (error != Errno.EAGAIN || (flags & NoWait) != 0)
                {
                    return error;
                }

                if (await task.Block() == BlockOutcome.Interrupted)
                {
                    return Errno.EINTR;
                }
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <summary>msgrcv(2).</summary>
    /// <param name="task">Who; it has the permission.</param>
    /// <param name="wanted">0 for the first, positive for that type, negative for the lowest type up to its amount.</param>
    /// <param name="maximumBytes">The room.</param>
    /// <param name="flags">IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT.</param>
    /// <returns>The message; or E2BIG, ENOMSG, EIDRM, EINTR.</returns>
    public async Blocking<(Errno Error, long Type, byte[] Text)> Receive(Task task, long wanted, ulong maximumBytes, int flags)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllIn);
        try
        {
            while (true)
            {
                Errno error = TryReceive(task, wanted, maximumBytes, flags, out Entry found);
                if (error != Errno.EAGAIN)
                {
                    return (error, found.Type, found.Text ?? []);
                }

                if ((flags & NoWait) != 0)
                {
                    return (Errno.ENOMSG, 0, []);
                }

                if (await task.Block() == BlockOutcome.Interrupted)
                {
                    return (Errno.EINTR, 0, []);
                }
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    private Errno TrySend(Task task, long type, byte[] text)
    {
        lock (Lock)
        {
            if (IsRemoved)
            {
                return Errno.EIDRM;
            }

            if (UsedBytes + text.Length > CapacityBytes || _messages.Count + 1 > CapacityBytes)
            {
                return Errno.EAGAIN;
            }

            _ = _messages.AddLast(new Entry(type, text));
            UsedBytes += text.Length;
            LastSender = task.ThreadGroup.Pid;
            SendSeconds = NowSeconds;
        }

        Queue.NotifyAll(PollEvents.AllIn);
        return Errno.None;
    }

    private Errno TryReceive(Task task, long wanted, ulong maximumBytes, int flags, out Entry found)
    {
        found = default;
        lock (Lock)
        {
            if (IsRemoved)
            {
                return Errno.EIDRM;
            }

            if (FindLocked(wanted, (flags & Except) != 0) is not { } node)
            {
                return Errno.EAGAIN;
            }

            found = node.Value;
            if ((ulong)found.Text.Length > maximumBytes)
            {
                if ((flags & NoError) == 0)
                {
                    found = default;
                    return Errno.E2BIG;
                }
            }

            _messages.Remove(node);
            UsedBytes -= found.Text.Length;
            LastReceiver = task.ThreadGroup.Pid;
            ReceiveSeconds = NowSeconds;
        }

        Queue.NotifyAll(PollEvents.AllOut);
        return Errno.None;
    }

    [RequiresLock(nameof(Lock))]
    private LinkedListNode<Entry>? FindLocked(long wanted, bool except)
    {
        if (wanted == 0)
        {
            return _messages.First;
        }

        long highest = wanted > 0 ? 0 : wanted == long.MinValue ? long.MaxValue : -wanted;
        LinkedListNode<Entry>? best = null;
        for (LinkedListNode<Entry>? node = _messages.First; node is not null; node = node.Next)
        {
            long type = node.Value.Type;
            if (wanted > 0)
            {
                if ((type == wanted) != except)
                {
                    return node;
                }
            }
            else if (type <= highest && (best is null || type < best.Value.Type))
            {
                best = node;
            }
        }

        return best;
    }
}
