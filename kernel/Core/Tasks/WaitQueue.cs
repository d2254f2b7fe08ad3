// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Tasks;

/// <summary>Event bits of poll(2) and epoll(7); the numbers are Linux's.</summary>
[Flags]
public enum PollEvents : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Readable.</summary>
    In = 0x1,

    /// <summary>Urgent data.</summary>
    Pri = 0x2,

    /// <summary>Writable.</summary>
    Out = 0x4,

    /// <summary>An error is pending.</summary>
    Err = 0x8,

    /// <summary>The other side hung up.</summary>
    Hup = 0x10,

    /// <summary>Not open (poll only).</summary>
    Nval = 0x20,

    /// <summary>As <see cref="In"/>.</summary>
    RdNorm = 0x40,

    /// <summary>Priority band readable.</summary>
    RdBand = 0x80,

    /// <summary>As <see cref="Out"/>.</summary>
    WrNorm = 0x100,

    /// <summary>Priority band writable.</summary>
    WrBand = 0x200,

    /// <summary>A message.</summary>
    Msg = 0x400,

    /// <summary>The other side shut down writing.</summary>
    RdHup = 0x2000,

    /// <summary>Kernel-internal: a change that only waiters of the object itself care for (a child, a state).</summary>
    Internal = 0x4000_0000,

    /// <summary>All that means readable.</summary>
    AllIn = In | RdNorm,

    /// <summary>All that means writable.</summary>
    AllOut = Out | WrNorm,

    /// <summary>Everything.</summary>
    Any = 0xffff_ffff,
}

/// <summary>Something that wants to know of events: a waiting task, an epoll item, a signal-driven descriptor.</summary>
public abstract class Waiter
{
    internal Waiter? Next;
    internal Waiter? Previous;

    /// <summary>The queue this waiter stands in, or null.</summary>
    public WaitQueue? Queue { get; internal set; }

    /// <summary>The events it stands in the queue for.</summary>
    public PollEvents Mask { get; internal set; }

    /// <summary>Whether it counts as exclusive: of the exclusive waiters a notification tells only until one took it.</summary>
    public bool IsExclusive { get; init; }

    /// <summary>Called when events happened. The queue's lock is held: take no lock but those of wait queues further up (epoll), and do not block.</summary>
    /// <param name="events">What happened.</param>
    /// <returns>Whether an exclusive waiter took the event.</returns>
    protected internal abstract bool OnEvents(PollEvents events);
}

/// <summary>The waiters of one object.</summary>
/// <remarks>
/// Protocol: stand in the queue, try the operation, and only then block: an event between the try and the block is not lost, since the waiter has been told.
/// Lock order: an object's own lock, then its queue's lock, then whatever <see cref="Waiter.OnEvents"/> takes (epoll's ready list, then epoll's own queue).
/// </remarks>
public sealed class WaitQueue
{
    private readonly Lock _lock = new();
    private Waiter? _first;
    private Waiter? _last;

    /// <summary>Whether nobody waits. A hint unless the caller holds the lock of what is waited for.</summary>
    public bool IsEmpty => Volatile.Read(ref _first) is null;

    /// <summary>Puts a waiter at the end. It must stand in no queue.</summary>
    public void Add(Waiter waiter, PollEvents mask)
    {
        lock (_lock)
        {
            waiter.Queue = this;
            waiter.Mask = mask;
            waiter.Previous = _last;
            waiter.Next = null;
            if (_last is null)
            {
                Volatile.Write(ref _first, waiter);
            }
            else
            {
                _last.Next = waiter;
            }

            _last = waiter;
        }
    }

    /// <summary>Takes a waiter out; nothing happens when it does not stand here.</summary>
    public void Remove(Waiter waiter)
    {
        lock (_lock)
        {
            if (waiter.Queue != this)
            {
                return;
            }

            if (waiter.Previous is null)
            {
                Volatile.Write(ref _first, waiter.Next);
            }
            else
            {
                waiter.Previous.Next = waiter.Next;
            }

            if (waiter.Next is null)
            {
                _last = waiter.Previous;
            }
            else
            {
                waiter.Next.Previous = waiter.Previous;
            }

            waiter.Queue = null;
            waiter.Next = null;
            waiter.Previous = null;
        }
    }

    /// <summary>Tells the waiters of these events; exclusive ones only until one took it.</summary>
    [NoAlloc]
    public void Notify(PollEvents events)
    {
        if (IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            bool isTaken = false;
            for (Waiter? waiter = _first; waiter is not null;)
            {
                Waiter? next = waiter.Next;
                if ((waiter.Mask & events) != 0 && !(isTaken && waiter.IsExclusive))
                {
                    isTaken |= waiter.OnEvents(events & waiter.Mask) && waiter.IsExclusive;
                }

                waiter = next;
            }
        }
    }

    /// <summary>Tells every waiter, exclusive or not (the object is gone or closed).</summary>
    public void NotifyAll(PollEvents events)
    {
        lock (_lock)
        {
            for (Waiter? waiter = _first; waiter is not null;)
            {
                Waiter? next = waiter.Next;
                if ((waiter.Mask & events) != 0)
                {
                    _ = waiter.OnEvents(events & waiter.Mask);
                }

                waiter = next;
            }
        }
    }
}
