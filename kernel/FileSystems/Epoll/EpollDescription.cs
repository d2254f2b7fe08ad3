// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Epoll;

/// <summary>struct epoll_event (x86_64: packed).</summary>
/// <param name="events">EPOLL* bits.</param>
/// <param name="data">The guest's own word.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
[AbiStruct(12)]
public struct EpollEvent(uint events, ulong data)
{
    /// <summary>EPOLL* bits.</summary>
    public uint Events = events;

    /// <summary>The guest's own word.</summary>
    public ulong Data = data;
}

/// <summary>Where ready events go.</summary>
public interface IEpollSink
{
    /// <summary>Takes one event.</summary>
    /// <returns>None, or why it could not be taken.</returns>
    Errno Store(int index, in EpollEvent ready);
}

/// <summary>An epoll instance (epoll(7)).</summary>
/// <remarks>
/// <para>Lock order:
/// <code>
/// s_nesting (adding an epoll to an epoll)
///   _mutex (a parent's before a nested one's): items, delivering
///     a target's own locks (Readiness)
///       a target's wait queue
///         _readyLock: the ready list
///           Queue: who waits for this epoll, epolls it is nested in
/// </code></para>
/// <para>An item refers to its target without a reference of its own; the target's release takes <c>_mutex</c> and removes it, so that a target that is asked for its
/// readiness under <c>_mutex</c> has not been released yet.</para>
/// </remarks>
public sealed class EpollDescription : FileDescription
{
    /// <summary>Edge triggered.</summary>
    public const uint EdgeTriggered = 1u << 31;

    /// <summary>Disabled once it fired.</summary>
    public const uint OneShot = 1u << 30;

    /// <summary>Keeps the machine awake: accepted, without a meaning here.</summary>
    public const uint WakeUp = 1u << 29;

    /// <summary>Wakes one of several epolls.</summary>
    public const uint Exclusive = 1u << 28;

    private const uint Private = EdgeTriggered | OneShot | WakeUp | Exclusive;
    private const uint Always = (uint)(PollEvents.Err | PollEvents.Hup);
    private const int MaximumNesting = 5;
    private static readonly Lock s_nesting = new();
    private readonly Lock _mutex = new();
    [GuardedBy(nameof(_mutex))]
    private readonly Dictionary<(FileDescription Target, int Fd), EpollItem> _items = [];
    private readonly Lock _readyLock = new();
    [GuardedBy(nameof(_readyLock))]
    private EpollItem? _firstReady;
    [GuardedBy(nameof(_readyLock))]
    private EpollItem? _lastReady;
    [GuardedBy(nameof(_readyLock))]
    private int _readyCount;

    /// <summary>Makes an empty instance.</summary>
    public EpollDescription()
        : base(default, OpenFlags.ReadWrite)
    {
    }

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <inheritdoc/>
    public override WaitQueue Queue { get; } = new();

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[eventpoll]";

    /// <summary>EPOLL_CTL_ADD.</summary>
    /// <returns>None; EPERM when the file cannot be waited for; EEXIST; EINVAL for itself or misplaced EPOLLEXCLUSIVE; ELOOP.</returns>
    public Errno Add(FileDescription target, int fd, EpollEvent wanted)
    {
        if (target.Queue is not { } queue)
        {
            return Errno.EPERM;
        }

        if (target == this || ((wanted.Events & Exclusive) != 0 && (target is EpollDescription || !IsExclusiveAllowed(wanted.Events))))
        {
            return Errno.EINVAL;
        }

        if (target is not EpollDescription nested)
        {
            return AddItem(target, fd, wanted, queue);
        }

        lock (s_nesting)
        {
            // The height is what lies under the nested one; what lies above this one is not known here, and is bound by its own adding.
            int depth = nested.Depth(this, 1);
            return depth < 0 || depth >= MaximumNesting ? Errno.ELOOP : AddItem(target, fd, wanted, queue);
        }
    }

    /// <summary>EPOLL_CTL_MOD.</summary>
    public Errno Modify(FileDescription target, int fd, EpollEvent wanted)
    {
        lock (_mutex)
        {
            if (!_items.TryGetValue((target, fd), out EpollItem? item))
            {
                return Errno.ENOENT;
            }

            if (((wanted.Events | item.Events) & Exclusive) != 0)
            {
                return Errno.EINVAL;
            }

            item.Events = wanted.Events | Always;
            item.Data = wanted.Data;
            target.Queue!.Remove(item);
            target.Queue!.Add(item, (PollEvents)(item.Events & ~Private));
            if (IsActiveLocked(item))
            {
                _ = OnItemEvents(item);
            }

            return Errno.None;
        }
    }

    /// <summary>EPOLL_CTL_DEL.</summary>
    public Errno Delete(FileDescription target, int fd)
    {
        lock (_mutex)
        {
            if (!_items.Remove((target, fd), out EpollItem? item))
            {
                return Errno.ENOENT;
            }

            target.RemoveReleaseObserver(item);
            DetachLocked(item);
            return Errno.None;
        }
    }

    /// <summary>Stores what is ready in guest memory.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="events">An array of <see cref="EpollEvent"/>.</param>
    /// <param name="maximum">Its length.</param>
    /// <returns>How many were stored; 0 when nothing is ready; EFAULT.</returns>
    [NoAlloc]
    public IoResult Collect(MemoryManager memory, UserPtr events, int maximum) => Collect(new GuestSink(memory, events), maximum);

    /// <summary>Hands what is ready to a sink.</summary>
    /// <param name="sink">Takes events; one that it refuses stays ready.</param>
    /// <param name="maximum">The most to hand out.</param>
    /// <returns>How many were taken; 0 when nothing is ready; the sink's error when it refused the first.</returns>
    [NoAlloc]
    public IoResult Collect<TSink>(TSink sink, int maximum)
        where TSink : struct, IEpollSink
    {
        if (Volatile.Read(ref _firstReady) is null)
        {
            return 0;
        }

        int stored = 0;
        lock (_mutex)
        {
            // Level-triggered items go back to the end; each item is looked at once.
            for (int left = ReadyCount(); left > 0 && stored < maximum; left--)
            {
                EpollItem? item = TakeFirst();
                if (item is null)
                {
                    break;
                }

                uint ready = ReadyEventsLocked(item);
                if (ready == 0)
                {
                    continue;
                }

                Errno error = sink.Store(stored, new EpollEvent(ready, item.Data));
                if (error != Errno.None)
                {
                    PutFirst(item);
                    return stored > 0 ? stored : error;
                }

                stored++;
                if ((item.Events & OneShot) != 0)
                {
                    item.Events &= Private;
                }
                else if ((item.Events & EdgeTriggered) == 0)
                {
                    PutLast(item);
                }
            }
        }

        return stored;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        if ((mask & PollEvents.AllIn) == 0 || Volatile.Read(ref _firstReady) is null)
        {
            return PollEvents.None;
        }

        lock (_mutex)
        {
            for (int left = ReadyCount(); left > 0; left--)
            {
                EpollItem? item = TakeFirst();
                if (item is null)
                {
                    break;
                }

                if (ReadyEventsLocked(item) != 0)
                {
                    PutFirst(item);
                    return mask & PollEvents.AllIn;
                }
            }
        }

        return PollEvents.None;
    }

    /// <summary>An item was told of an event by its target's queue.</summary>
    [NoAlloc]
    internal bool OnItemEvents(EpollItem item)
    {
        // For an exclusive item: whether somebody is there to take it.
        bool isTaken = !Queue.IsEmpty;
        PutLast(item);
        Queue.Notify(PollEvents.AllIn);
        return isTaken;
    }

    internal void OnTargetReleased(EpollItem item)
    {
        lock (_mutex)
        {
            if (_items.Remove((item.Target, item.Fd)))
            {
                DetachLocked(item);
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        lock (_mutex)
        {
            foreach (EpollItem item in _items.Values)
            {
                item.Target.RemoveReleaseObserver(item);
                DetachLocked(item);
            }

            _items.Clear();
        }
    }

    private static bool IsExclusiveAllowed(uint events) =>
        (events & ~((uint)(PollEvents.In | PollEvents.Out | PollEvents.Err | PollEvents.Hup) | WakeUp | EdgeTriggered | Exclusive)) == 0;

    private Errno AddItem(FileDescription target, int fd, EpollEvent wanted, WaitQueue queue)
    {
        lock (_mutex)
        {
            EpollItem item = new(this, target, fd)
            {
                Events = wanted.Events | Always,
                Data = wanted.Data,
                IsExclusive = (wanted.Events & Exclusive) != 0,
            };
            if (!_items.TryAdd((target, fd), item))
            {
                return Errno.EEXIST;
            }

            target.AddReleaseObserver(item);
            queue.Add(item, (PollEvents)(item.Events & ~Private));
            if (IsActiveLocked(item))
            {
                _ = OnItemEvents(item);
            }

            return Errno.None;
        }
    }

    /// <summary>How many epolls lie under this one, itself included, or -1 when the given one is among them or there are too many.</summary>
    private int Depth(EpollDescription forbidden, int level)
    {
        if (this == forbidden || level > MaximumNesting)
        {
            return -1;
        }

        int depth = 1;
        lock (_mutex)
        {
            foreach (EpollItem item in _items.Values)
            {
                if (item.Target is EpollDescription nested)
                {
                    int under = nested.Depth(forbidden, level + 1);
                    if (under < 0)
                    {
                        return -1;
                    }

                    depth = Math.Max(depth, under + 1);
                }
            }
        }

        return depth;
    }

    [RequiresLock(nameof(_mutex))]
    private static uint ReadyEventsLocked(EpollItem item)
    {
        PollEvents mask = (PollEvents)(item.Events & ~Private);
        return mask == PollEvents.None ? 0 : (uint)(item.Target.Readiness(mask) & mask);
    }

    [RequiresLock(nameof(_mutex))]
    private static bool IsActiveLocked(EpollItem item) => ReadyEventsLocked(item) != 0;

    [RequiresLock(nameof(_mutex))]
    private void DetachLocked(EpollItem item)
    {
        item.Queue?.Remove(item);
        lock (_readyLock)
        {
            RemoveReadyLocked(item);
        }
    }

    private int ReadyCount()
    {
        lock (_readyLock)
        {
            return _readyCount;
        }
    }

    private EpollItem? TakeFirst()
    {
        lock (_readyLock)
        {
            EpollItem? first = _firstReady;
            if (first is not null)
            {
                RemoveReadyLocked(first);
            }

            return first;
        }
    }

    private void PutFirst(EpollItem item)
    {
        lock (_readyLock)
        {
            if (item.IsReady)
            {
                return;
            }

            item.IsReady = true;
            item.ReadyNext = _firstReady;
            item.ReadyPrevious = null;
            if (_firstReady is null)
            {
                _lastReady = item;
            }
            else
            {
                _firstReady.ReadyPrevious = item;
            }

            Volatile.Write(ref _firstReady, item);
            _readyCount++;
        }
    }

    private void PutLast(EpollItem item)
    {
        lock (_readyLock)
        {
            if (item.IsReady)
            {
                return;
            }

            item.IsReady = true;
            item.ReadyNext = null;
            item.ReadyPrevious = _lastReady;
            if (_lastReady is null)
            {
                Volatile.Write(ref _firstReady, item);
            }
            else
            {
                _lastReady.ReadyNext = item;
            }

            _lastReady = item;
            _readyCount++;
        }
    }

    [RequiresLock(nameof(_readyLock))]
    private void RemoveReadyLocked(EpollItem item)
    {
        if (!item.IsReady)
        {
            return;
        }

        item.IsReady = false;
        _readyCount--;
        if (item.ReadyPrevious is null)
        {
            Volatile.Write(ref _firstReady, item.ReadyNext);
        }
        else
        {
            item.ReadyPrevious.ReadyNext = item.ReadyNext;
        }

        if (item.ReadyNext is null)
        {
            _lastReady = item.ReadyPrevious;
        }
        else
        {
            item.ReadyNext.ReadyPrevious = item.ReadyPrevious;
        }

        item.ReadyNext = null;
        item.ReadyPrevious = null;
    }

    private readonly struct GuestSink(MemoryManager memory, UserPtr events) : IEpollSink
    {
        public Errno Store(int index, in EpollEvent ready) => memory.CopyOut(events.Offset((ulong)index * 12), ready);
    }
}
