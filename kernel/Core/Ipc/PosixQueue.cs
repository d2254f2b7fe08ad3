// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Core.Ipc;

/// <summary>A POSIX message queue (mq_overview(7)): messages by priority.</summary>
/// <remarks>Lock order: the table's lock, <c>_lock</c>, wait queues; signals are sent without it.</remarks>
public sealed class PosixQueue
{
    /// <summary>si_code of a notification.</summary>
    private const int SignalCode = -3;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly SortedDictionary<uint, Queue<byte[]>> _messages = [];
    [GuardedBy(nameof(_lock))]
    private int _count;
    [GuardedBy(nameof(_lock))]
    private long _bytes;
    [GuardedBy(nameof(_lock))]
    private ThreadGroup? _notified;
    [GuardedBy(nameof(_lock))]
    private int _notifySignal;
    [GuardedBy(nameof(_lock))]
    private ulong _notifyValue;
    private int _receivers;

    internal PosixQueue(UserCredentials owner, uint mode, int maximumMessages, int maximumBytes)
    {
        Inode = new AnonymousInode(s_fileSystem, FileType.Regular, mode, owner);
        MaximumMessages = maximumMessages;
        MaximumBytes = maximumBytes;
    }

    private static readonly AnonymousFileSystem s_fileSystem = new("mqueue", 0x19800202);

    /// <summary>The queue as a file: its owner and mode.</summary>
    public AnonymousInode Inode { get; }

    /// <summary>mq_maxmsg.</summary>
    public int MaximumMessages { get; }

    /// <summary>mq_msgsize.</summary>
    public int MaximumBytes { get; }

    /// <summary>Who waits.</summary>
    internal WaitQueue Queue { get; } = new();

    /// <summary>mq_curmsgs.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Whether tasks wait for messages: they come before a notification.</summary>
    internal void CountReceiver(int delta) => _ = Interlocked.Add(ref _receivers, delta);

    /// <summary>Adds a message.</summary>
    /// <returns>None, or EAGAIN when the queue is full.</returns>
    internal Errno TrySend(Task task, byte[] text, uint priority)
    {
        ThreadGroup? notified = null;
        int signal = 0;
        ulong value = 0;
        lock (_lock)
        {
            if (_count >= MaximumMessages)
            {
                return Errno.EAGAIN;
            }

            if (!_messages.TryGetValue(priority, out Queue<byte[]>? line))
            {
                line = new Queue<byte[]>();
                _messages.Add(priority, line);
            }

            line.Enqueue(text);
            _bytes += text.Length;
            if (++_count == 1 && Volatile.Read(ref _receivers) == 0)
            {
                (notified, signal, value) = (_notified, _notifySignal, _notifyValue);
                _notified = null;
            }
        }

        Queue.Notify(PollEvents.AllIn);
        if (notified is not null && signal != 0)
        {
            _ = notified.Send(SignalInfo.FromProcess(signal, SignalCode, task.ThreadGroup.Pid, task.Credentials.RealUid) with { Value = value });
        }

        return Errno.None;
    }

    /// <summary>Takes the oldest message of the highest priority.</summary>
    /// <returns>None, or EAGAIN when the queue is empty.</returns>
    internal Errno TryReceive(out byte[] text, out uint priority)
    {
        text = [];
        priority = 0;
        lock (_lock)
        {
            if (_count == 0)
            {
                return Errno.EAGAIN;
            }

            foreach (uint present in _messages.Keys)
            {
                priority = present;
            }

            Queue<byte[]> line = _messages[priority];
            text = line.Dequeue();
            if (line.Count == 0)
            {
                _ = _messages.Remove(priority);
            }

            _count--;
            _bytes -= text.Length;
        }

        Queue.Notify(PollEvents.AllOut);
        return Errno.None;
    }

    /// <summary>mq_notify(3): asks to be told once of a message in an empty queue.</summary>
    /// <param name="process">Who asks.</param>
    /// <param name="signal">The signal; 0 for none (SIGEV_NONE).</param>
    /// <param name="value">What goes with it.</param>
    /// <returns>None, or EBUSY when another process has asked.</returns>
    public Errno Notify(ThreadGroup process, int signal, ulong value)
    {
        lock (_lock)
        {
            if (_notified is not null)
            {
                return Errno.EBUSY;
            }

            (_notified, _notifySignal, _notifyValue) = (process, signal, value);
            return Errno.None;
        }
    }

    /// <summary>Takes a process's request back.</summary>
    public void CancelNotify(ThreadGroup? process)
    {
        lock (_lock)
        {
            if (_notified == process)
            {
                _notified = null;
            }
        }
    }

    /// <summary>What a read(2) of the queue shows.</summary>
    internal byte[] Describe()
    {
        lock (_lock)
        {
            return Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $"QSIZE:{_bytes,-10} NOTIFY:{(_notified is null ? 0 : _notifySignal == 0 ? 1 : 0),-5} SIGNO:{(_notified is null ? 0 : _notifySignal),-5} NOTIFY_PID:{_notified?.Pid ?? 0,-6}\n"));
        }
    }
}

/// <summary>The POSIX queues of an IPC namespace, by name.</summary>
public sealed class PosixQueueTable
{
    private const int MaximumQueues = 256;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<string, PosixQueue> _queues = [];

    /// <summary>Finds a queue.</summary>
    /// <returns>Null when there is none.</returns>
    public PosixQueue? Find(string name)
    {
        lock (_lock)
        {
            return _queues.GetValueOrDefault(name);
        }
    }

    /// <summary>Makes a queue, unless there is one of the name.</summary>
    /// <param name="name">The name, without a slash.</param>
    /// <param name="task">Who.</param>
    /// <param name="mode">Permission bits, umask applied.</param>
    /// <param name="maximumMessages">mq_maxmsg.</param>
    /// <param name="maximumBytes">mq_msgsize.</param>
    /// <param name="queue">The new queue, or the one that is there.</param>
    /// <returns>None; EEXIST; ENOSPC.</returns>
    public Errno Create(string name, Task task, uint mode, int maximumMessages, int maximumBytes, out PosixQueue? queue)
    {
        lock (_lock)
        {
            if (_queues.TryGetValue(name, out queue))
            {
                return Errno.EEXIST;
            }

            if (_queues.Count >= MaximumQueues && !task.Credentials.Has(Capability.SysResource))
            {
                return Errno.ENOSPC;
            }

            queue = new PosixQueue(task.Credentials, mode, maximumMessages, maximumBytes);
            _queues.Add(name, queue);
            return Errno.None;
        }
    }

    /// <summary>mq_unlink(3): the queue lives on while it is open.</summary>
    /// <returns>None; ENOENT; EACCES for another's queue.</returns>
    public Errno Unlink(string name, UserCredentials credentials)
    {
        lock (_lock)
        {
            if (!_queues.TryGetValue(name, out PosixQueue? queue))
            {
                return Errno.ENOENT;
            }

            // The queues' directory is sticky and everybody's.
            Errno error = queue.Inode.GetAttributes(out Attributes attributes);
            if (error != Errno.None || (attributes.Uid != credentials.FileUid && !credentials.Has(Capability.Fowner)))
            {
                return error != Errno.None ? error : Errno.EPERM;
            }

            _ = _queues.Remove(name);
            return Errno.None;
        }
    }
}

/// <summary>An open POSIX message queue.</summary>
public sealed class PosixQueueDescription(PosixQueue queue, OpenFlags flags) : FileDescription(default, flags)
{
    private int _readOffset;

    /// <summary>The queue.</summary>
    public PosixQueue Messages { get; } = queue;

    /// <inheritdoc/>
    public override Inode Inode => Messages.Inode;

    /// <inheritdoc/>
    public override WaitQueue Queue => Messages.Queue;

    /// <inheritdoc/>
    public override string AnonymousName => "/mqueue";

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        byte[] text = Messages.Describe();
        int offset = Math.Min(Volatile.Read(ref _readOffset), text.Length);
        Errno error = destination.CopyOut(text.AsSpan(offset), out int copied);
        _ = Interlocked.Add(ref _readOffset, copied);
        return copied > 0 ? copied : error;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        int count = Messages.Count;
        PollEvents events = (count > 0 ? PollEvents.AllIn : PollEvents.None) | (count < Messages.MaximumMessages ? PollEvents.AllOut : PollEvents.None);
        return events & mask;
    }

    /// <inheritdoc/>
    public override Errno OnClose(Task? task)
    {
        if (task is not null)
        {
            Messages.CancelNotify(task.ThreadGroup);
        }

        return Errno.None;
    }

    /// <summary>mq_timedsend(3).</summary>
    /// <returns>None; EAGAIN; ETIMEDOUT; a restart.</returns>
    public async Blocking<SyscallResult> Send(Task task, byte[] text, uint priority, long deadlineNs)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllOut);
        try
        {
            while (true)
            {
                Errno error = Messages.TrySend(task, text, priority);
                if (error != Errno.EAGAIN || IsNonBlocking)
                {
                    return error;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return Errno.ETIMEDOUT;
                    case BlockOutcome.Interrupted:
                        return SyscallResult.Restarts(Restart.IfHandlerAllows);
                }
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <summary>mq_timedreceive(3).</summary>
    /// <returns>The message; or why there is none.</returns>
    public async Blocking<(SyscallResult Result, byte[] Text, uint Priority)> Receive(Task task, long deadlineNs)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllIn);
        Messages.CountReceiver(1);
        try
        {
            while (true)
            {
                Errno error = Messages.TryReceive(out byte[] text, out uint priority);
                if (error != Errno.EAGAIN || IsNonBlocking)
                {
                    return (error, text, priority);
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return (Errno.ETIMEDOUT, text, priority);
                    case BlockOutcome.Interrupted:
                        return (SyscallResult.Restarts(Restart.IfHandlerAllows), text, priority);
                }
            }
        }
        finally
        {
            Messages.CountReceiver(-1);
            Queue.Remove(task.Waiter);
        }
    }
}
