// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Poll;

/// <summary>The descriptions that one poll(2) or select(2) waits for. Pooled: <see cref="Rent"/> one, <see cref="Dispose"/> it.</summary>
public sealed class PollSet : IDisposable
{
    // A set as large as this one is kept for the next call.
    private const int Kept = 256;

    [ThreadStatic]
    private static PollSet? t_free;

    private Slot[] _slots = new Slot[8];
    private int _count;
    private Task? _task;

    private PollSet()
    {
    }

    private struct Slot
    {
        internal FileDescription? File;
        internal bool IsIgnored;
        internal PollEvents Mask;
        internal PollEvents Result;
        internal PollWaiter? Waiter;
    }

    /// <summary>How many descriptions there are.</summary>
    public int Count => _count;

    /// <summary>An empty set.</summary>
    public static PollSet Rent(Task task)
    {
        PollSet set = t_free ?? new PollSet();
        t_free = null;
        set._task = task;
        return set;
    }

    /// <summary>Adds a description.</summary>
    /// <param name="file">The description, with a reference that the set takes over; null for a number that is not open.</param>
    /// <param name="mask">What to wait for; errors and hang-ups are always added.</param>
    public void Add(FileDescription? file, PollEvents mask) => AddExactly(file, mask | PollEvents.Err | PollEvents.Hup);

    /// <summary>Adds a description to wait for nothing but what the mask says (select(2): an error is not an exceptional condition).</summary>
    /// <param name="file">As for <see cref="Add"/>.</param>
    /// <param name="mask">What to wait for.</param>
    public void AddExactly(FileDescription? file, PollEvents mask)
    {
        if (_count == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        ref Slot slot = ref _slots[_count++];
        slot.File = file;
        slot.Mask = mask;
        slot.IsIgnored = false;
    }

    /// <summary>Adds a place at which nothing ever happens (a negative number in poll(2)).</summary>
    public void AddNothing()
    {
        Add(null, PollEvents.None);
        _slots[_count - 1].IsIgnored = true;
    }

    /// <summary>What was ready at an index when <see cref="Wait"/> last looked; <see cref="PollEvents.Nval"/> when it is not open.</summary>
    public PollEvents this[int index] => _slots[index].Result;

    /// <summary>Waits until something is ready (or not open), the deadline passes or a signal comes.</summary>
    /// <param name="deadlineNs">On the monotonic clock; 0 looks once.</param>
    /// <returns>Woken when something is ready.</returns>
    public Blocking<BlockOutcome> Wait(long deadlineNs)
    {
        if (Look())
        {
            return BlockOutcome.Woken;
        }

        return deadlineNs == 0 ? BlockOutcome.TimedOut : WaitLater(deadlineNs);
    }

    /// <summary>Gives the references back and the set to the next call.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
        {
            ref Slot slot = ref _slots[i];
            slot.File?.Unreference();
            slot.File = null;
        }

        _count = 0;
        _task = null;
        if (_slots.Length <= Kept)
        {
            t_free = this;
        }
    }

    private async Blocking<BlockOutcome> WaitLater(long deadlineNs)
    {
        Task task = _task!;
        task.PrepareToWait();
        for (int i = 0; i < _count; i++)
        {
            StandInQueue(i, task);
        }

        try
        {
            while (true)
            {
                if (Look())
                {
                    return BlockOutcome.Woken;
                }

                BlockOutcome outcome = await task.Block(deadlineNs);
                if (outcome != BlockOutcome.Woken)
                {
                    return outcome;
                }
            }
        }
        finally
        {
            for (int i = 0; i < _count; i++)
            {
                LeaveQueue(i);
            }
        }
    }

    private bool Look()
    {
        PollEvents any = PollEvents.None;
        for (int i = 0; i < _count; i++)
        {
            ref Slot slot = ref _slots[i];
            slot.Result = slot.File is null ? (slot.IsIgnored ? PollEvents.None : PollEvents.Nval) : slot.File.Readiness(slot.Mask) & slot.Mask;
            any |= slot.Result;
        }

        return any != PollEvents.None;
    }

    private void StandInQueue(int index, Task task)
    {
        ref Slot slot = ref _slots[index];
        if (slot.File?.Queue is { } queue)
        {
            slot.Waiter ??= new PollWaiter();
            slot.Waiter.Task = task;
            queue.Add(slot.Waiter, slot.Mask);
        }
    }

    private void LeaveQueue(int index)
    {
        if (_slots[index].Waiter is { Queue: { } queue } waiter)
        {
            queue.Remove(waiter);
            waiter.Task = null;
        }
    }

    private sealed class PollWaiter : Waiter
    {
        internal Task? Task;

        protected override bool OnEvents(PollEvents events)
        {
            Task?.Wake();
            return true;
        }
    }
}
