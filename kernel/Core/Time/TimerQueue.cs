// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Time;

/// <summary>Something that happens at a time on the monotonic clock.</summary>
public abstract class KernelTimer
{
    internal int HeapIndex = -1;

    internal long DeadlineNs;

    /// <summary>Called on the timer thread, without locks, once the deadline has passed. It may arm the timer again.</summary>
    protected internal abstract void OnFire();
}

/// <summary>The armed timers of a kernel: a binary heap and the one host thread that sleeps until the first is due.</summary>
/// <remarks>Lock order: nothing is taken under this lock; it may be taken under any other.</remarks>
public sealed class TimerQueue
{
    private readonly Lock _lock = new();
    private readonly List<KernelTimer> _heap = [];
    private readonly ManualResetEventSlim _changed = new(false, 0);
    private long _sleepingUntilNs = long.MaxValue;
    private bool _started;

    /// <summary>Arms a timer, or moves an armed one.</summary>
    /// <param name="timer">The timer.</param>
    /// <param name="deadlineNs">A time on <see cref="KernelClock.MonotonicNs"/>; a past one fires at once.</param>
    public void Arm(KernelTimer timer, long deadlineNs)
    {
        bool wake;
        lock (_lock)
        {
            if (timer.HeapIndex >= 0)
            {
                RemoveLocked(timer);
            }

            timer.DeadlineNs = deadlineNs;
            timer.HeapIndex = _heap.Count;
            _heap.Add(timer);
            SiftUp(timer.HeapIndex);
            wake = deadlineNs < _sleepingUntilNs;
            if (!_started)
            {
                _started = true;
                new Thread(Run, 128 * 1024) { IsBackground = true, Name = "timers" }.Start();
            }
        }

        if (wake)
        {
            _changed.Set();
        }
    }

    /// <summary>Disarms a timer. It may be firing at this moment.</summary>
    /// <returns>Whether it was armed.</returns>
    public bool Cancel(KernelTimer timer)
    {
        if (Volatile.Read(ref timer.HeapIndex) < 0)
        {
            return false;
        }

        lock (_lock)
        {
            if (timer.HeapIndex < 0)
            {
                return false;
            }

            RemoveLocked(timer);
            return true;
        }
    }

    private void Run()
    {
        while (true)
        {
            KernelTimer? due = null;
            long waitNs;
            lock (_lock)
            {
                long nowNs = KernelClock.MonotonicNs;
                if (_heap.Count > 0 && _heap[0].DeadlineNs <= nowNs)
                {
                    due = _heap[0];
                    RemoveLocked(due);
                    waitNs = 0;
                }
                else
                {
                    _sleepingUntilNs = _heap.Count > 0 ? _heap[0].DeadlineNs : long.MaxValue;
                    waitNs = _heap.Count > 0 ? _sleepingUntilNs - nowNs : -1;
                    _changed.Reset();
                }
            }

            if (due is not null)
            {
                due.OnFire();
                continue;
            }

            Sleep(waitNs);
            lock (_lock)
            {
                _sleepingUntilNs = long.MinValue;
            }
        }
    }

    // The event has millisecond resolution: sleep the rest in the host's own nanosleep, which an earlier timer does not cut short by more than 1 ms.
    private void Sleep(long waitNs)
    {
        if (waitNs < 0)
        {
            _changed.Wait();
        }
        else if (waitNs >= 2_000_000)
        {
            _ = _changed.Wait((int)Math.Min(int.MaxValue, (waitNs / 1_000_000) - 1));
        }
        else
        {
            Host.HostTimespec rest = Host.HostTimespec.FromNs(waitNs);
            _ = Host.HostCalls.Nanosleep(ref rest);
        }
    }

    private void RemoveLocked(KernelTimer timer)
    {
        int index = timer.HeapIndex;
        int last = _heap.Count - 1;
        KernelTimer moved = _heap[last];
        _heap.RemoveAt(last);
        timer.HeapIndex = -1;
        if (index == last)
        {
            return;
        }

        _heap[index] = moved;
        moved.HeapIndex = index;
        SiftUp(index);
        SiftDown(moved.HeapIndex);
    }

    private void SiftUp(int index)
    {
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (_heap[parent].DeadlineNs <= _heap[index].DeadlineNs)
            {
                return;
            }

            Swap(parent, index);
            index = parent;
        }
    }

    private void SiftDown(int index)
    {
        while (true)
        {
            int least = index;
            int left = (2 * index) + 1;
            for (int child = left; child <= left + 1 && child < _heap.Count; child++)
            {
                if (_heap[child].DeadlineNs < _heap[least].DeadlineNs)
                {
                    least = child;
                }
            }

            if (least == index)
            {
                return;
            }

            Swap(least, index);
            index = least;
        }
    }

    private void Swap(int a, int b)
    {
        (_heap[a], _heap[b]) = (_heap[b], _heap[a]);
        _heap[a].HeapIndex = a;
        _heap[b].HeapIndex = b;
    }
}
