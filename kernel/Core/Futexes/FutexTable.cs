// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Core.Futexes;

/// <summary>What identifies a futex: a shared mapping's source and offset, or an address space and an address.</summary>
/// <param name="Owner">The source or the memory manager.</param>
/// <param name="Offset">The offset or the address.</param>
public readonly record struct FutexKey(object Owner, ulong Offset);

/// <summary>A task's place in a futex's queue.</summary>
public sealed class FutexWaiter(Task task)
{
    internal FutexWaiter? Next;
    internal FutexWaiter? Previous;
    internal FutexKey Key;
    internal uint Bits;

    /// <summary>For FUTEX_LOCK_PI: the id that becomes the owner's when the lock is handed over; 0 for a plain wait.</summary>
    internal int OwnerTid;

    /// <summary>The bucket it stands in; null once woken or never queued. Written under that bucket's lock.</summary>
    internal FutexBucket? Bucket;

    internal Task Task { get; } = task;

    /// <summary>Whether somebody woke it.</summary>
    internal bool IsWoken => Volatile.Read(ref Bucket) is null;
}

/// <summary>The futexes of one hash value.</summary>
internal sealed class FutexBucket(int index)
{
    private FutexWaiter? _first;
    private FutexWaiter? _last;

    internal Lock Lock { get; } = new();

    internal int Index { get; } = index;

    [RequiresLock(nameof(Lock))]
    internal FutexWaiter? First => _first;

    [RequiresLock(nameof(Lock))]
    internal void AddLocked(FutexWaiter waiter)
    {
        waiter.Previous = _last;
        waiter.Next = null;
        if (_last is null)
        {
            _first = waiter;
        }
        else
        {
            _last.Next = waiter;
        }

        _last = waiter;
        Volatile.Write(ref waiter.Bucket, this);
    }

    /// <summary>Takes a waiter out; its own task may go on from here, so it is not touched afterwards.</summary>
    [RequiresLock(nameof(Lock))]
    internal void RemoveLocked(FutexWaiter waiter)
    {
        UnlinkLocked(waiter);
        Volatile.Write(ref waiter.Bucket, null);
    }

    /// <summary>Takes a waiter out on its way to another bucket.</summary>
    [RequiresLock(nameof(Lock))]
    internal void UnlinkLocked(FutexWaiter waiter)
    {
        if (waiter.Previous is null)
        {
            _first = waiter.Next;
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

        waiter.Next = null;
        waiter.Previous = null;
    }
}

/// <summary>All futexes of a kernel (futex(2)).</summary>
/// <remarks>
/// One lock per bucket. It is held while the futex's word is compared and the waiter queued, so that no wake-up is lost. Lock order: two buckets by index; under a bucket's
/// lock the memory manager's, and a worker's queue.
/// </remarks>
public sealed partial class FutexTable
{
    private const int BucketCount = 256;
    private readonly FutexBucket[] _buckets = new FutexBucket[BucketCount];

    /// <summary>Makes an empty table.</summary>
    public FutexTable()
    {
        for (int i = 0; i < BucketCount; i++)
        {
            _buckets[i] = new FutexBucket(i);
        }
    }

    /// <summary>Waits until woken, if the word still has a value (FUTEX_WAIT, FUTEX_WAIT_BITSET).</summary>
    /// <returns>None when woken; EAGAIN, EFAULT, EINVAL; ETIMEDOUT; EINTR when a signal came.</returns>
    public async Blocking<Errno> Wait(Task task, UserPtr address, bool isPrivate, uint expected, uint bits, long deadlineNs)
    {
        Errno error = GetKey(task.Memory, address, isPrivate, out FutexKey key);
        if (error != Errno.None)
        {
            return error;
        }

        FutexWaiter waiter = task.FutexWaiter;
        task.PrepareToWait();
        error = Queue(task, waiter, address, key, expected, bits);
        if (error != Errno.None)
        {
            return error;
        }

        return await Wait(task, waiter, deadlineNs);
    }

    /// <summary>Waits with a queued waiter.</summary>
    private async Blocking<Errno> Wait(Task task, FutexWaiter waiter, long deadlineNs)
    {
        while (true)
        {
            BlockOutcome outcome = await task.Block(deadlineNs);
            if (waiter.IsWoken)
            {
                return Errno.None;
            }

            if (outcome == BlockOutcome.Woken)
            {
                task.PrepareToWait();
                if (waiter.IsWoken)
                {
                    return Errno.None;
                }

                continue;
            }

            if (!Dequeue(waiter))
            {
                return Errno.None; // Woken at the last moment: that counts.
            }

            return outcome == BlockOutcome.TimedOut ? Errno.ETIMEDOUT : Errno.EINTR;
        }
    }

    /// <summary>Waits on several futexes (futex_waitv(2)).</summary>
    /// <param name="task">The task.</param>
    /// <param name="requests">The futexes.</param>
    /// <param name="deadlineNs">On the monotonic clock.</param>
    /// <returns>The index of one that woke the task, or an error as of <see cref="Wait(Task, UserPtr, bool, uint, uint, long)"/>.</returns>
    public async Blocking<(int Index, Errno Error)> WaitAny(Task task, FutexWaitRequest[] requests, long deadlineNs)
    {
        FutexWaiter[] waiters = new FutexWaiter[requests.Length];
        task.PrepareToWait();
        int queued = 0;
        Errno error = Errno.None;
        for (; queued < requests.Length && error == Errno.None; queued++)
        {
            FutexWaitRequest request = requests[queued];
            waiters[queued] = new FutexWaiter(task);
            error = GetKey(task.Memory, request.Address, request.IsPrivate, out FutexKey key);
            if (error == Errno.None)
            {
                error = Queue(task, waiters[queued], request.Address, key, request.Expected, uint.MaxValue);
            }
        }

        BlockOutcome outcome = BlockOutcome.Woken;
        while (error == Errno.None && outcome == BlockOutcome.Woken && Array.TrueForAll(waiters, static w => !w.IsWoken))
        {
            outcome = await task.Block(deadlineNs);
            if (outcome == BlockOutcome.Woken)
            {
                task.PrepareToWait();
            }
        }

        int woken = -1;
        for (int i = 0; i < queued - (error == Errno.None ? 0 : 1); i++)
        {
            if (!Dequeue(waiters[i]) && woken < 0)
            {
                woken = i;
            }
        }

        return woken >= 0 ? (woken, Errno.None)
            : error != Errno.None ? (0, error)
            : (0, outcome == BlockOutcome.TimedOut ? Errno.ETIMEDOUT : Errno.EINTR);
    }

    /// <summary>Wakes waiters (FUTEX_WAKE, FUTEX_WAKE_BITSET).</summary>
    /// <param name="memory">The caller's memory.</param>
    /// <param name="address">The futex.</param>
    /// <param name="isPrivate">FUTEX_PRIVATE_FLAG.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="bits">Only those whose bits meet these.</param>
    /// <param name="woken">How many.</param>
    public Errno Wake(MemoryManager memory, UserPtr address, bool isPrivate, int count, uint bits, out int woken)
    {
        woken = 0;
        Errno error = GetKey(memory, address, isPrivate, out FutexKey key);
        if (error != Errno.None)
        {
            return error;
        }

        FutexBucket bucket = BucketOf(key);
        lock (bucket.Lock)
        {
            return WakeLocked(bucket, key, count, bits, out woken);
        }
    }

    /// <summary>Wakes waiters and moves others to another futex (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE).</summary>
    /// <param name="memory">The caller's memory.</param>
    /// <param name="from">The futex.</param>
    /// <param name="to">The other one.</param>
    /// <param name="isPrivate">FUTEX_PRIVATE_FLAG.</param>
    /// <param name="expected">The value that the first word must have, or null.</param>
    /// <param name="wakeCount">How many to wake at most.</param>
    /// <param name="moveCount">How many to move at most.</param>
    /// <param name="woken">How many were woken.</param>
    /// <param name="moved">How many were moved.</param>
    public Errno Requeue(
        MemoryManager memory, UserPtr from, UserPtr to, bool isPrivate, uint? expected, int wakeCount, int moveCount, out int woken, out int moved)
    {
        woken = 0;
        moved = 0;
        Errno error = GetKey(memory, from, isPrivate, out FutexKey fromKey);
        if (error != Errno.None || (error = GetKey(memory, to, isPrivate, out FutexKey toKey)) != Errno.None)
        {
            return error;
        }

        FutexBucket source = BucketOf(fromKey);
        FutexBucket target = BucketOf(toKey);
        (FutexBucket first, FutexBucket second) = Order(source, target);
        lock (first.Lock)
        {
            lock (second.Lock)
            {
                if (expected is { } value)
                {
                    error = memory.Load(from, out uint seen);
                    if (error != Errno.None || seen != value)
                    {
                        return error != Errno.None ? error : Errno.EAGAIN;
                    }
                }

#pragma warning disable CV3002 // Both buckets' locks are held, in their order.
                error = WakeLocked(source, fromKey, wakeCount, uint.MaxValue, out woken);
                for (FutexWaiter? waiter = source.First; waiter is not null && moved < moveCount;)
                {
                    FutexWaiter? next = waiter.Next;
                    if (waiter.Key == fromKey && waiter.OwnerTid == 0)
                    {
                        moved++;
                        if (fromKey != toKey)
                        {
                            // Not RemoveLocked and AddLocked: the waiter must not look woken for a moment.
                            MoveLocked(source, target, waiter, toKey);
                        }
                    }

                    waiter = next;
                }
#pragma warning restore CV3002

                return error;
            }
        }
    }

    /// <summary>Changes one word, wakes at another, and at the first when its old value says so (FUTEX_WAKE_OP).</summary>
    public Errno WakeOperation(
        MemoryManager memory, UserPtr address, UserPtr second, bool isPrivate, int wakeCount, int secondCount, uint operation, out int woken)
    {
        woken = 0;
        Errno error = GetKey(memory, address, isPrivate, out FutexKey key);
        if (error != Errno.None || (error = GetKey(memory, second, isPrivate, out FutexKey secondKey)) != Errno.None)
        {
            return error;
        }

        FutexBucket a = BucketOf(key);
        FutexBucket b = BucketOf(secondKey);
        (FutexBucket low, FutexBucket high) = Order(a, b);
        lock (low.Lock)
        {
            lock (high.Lock)
            {
                error = FutexOperation.Apply(memory, second, operation, out bool condition);
                if (error != Errno.None)
                {
                    return error;
                }

#pragma warning disable CV3002 // Both buckets' locks are held, in their order.
                error = WakeLocked(a, key, wakeCount, uint.MaxValue, out woken);
                if (error == Errno.None && condition)
                {
                    error = WakeLocked(b, secondKey, secondCount, uint.MaxValue, out int more);
                    woken += more;
                }
#pragma warning restore CV3002

                return error;
            }
        }
    }

    private static (FutexBucket First, FutexBucket Second) Order(FutexBucket a, FutexBucket b) => a.Index <= b.Index ? (a, b) : (b, a);

    private static Errno GetKey(MemoryManager memory, UserPtr address, bool isPrivate, out FutexKey key)
    {
        key = new FutexKey(memory, address.Address);
        if ((address.Address & 3) != 0)
        {
            return Errno.EINVAL;
        }

        if (address.Address >= memory.Layout.MaximumAddress)
        {
            return Errno.EFAULT;
        }

        if (isPrivate)
        {
            return Errno.None;
        }

        Errno error = memory.GetFutexKey(address, out object owner, out ulong offset);
        key = new FutexKey(owner, offset);
        return error;
    }

    private FutexBucket BucketOf(in FutexKey key)
    {
        ulong mixed = unchecked(((key.Offset >> 2) * 0x9e3779b97f4a7c15UL) + (ulong)(uint)System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(key.Owner) * 0xff51afd7ed558ccdUL);
        return _buckets[(int)(mixed >> 56)];
    }

    private Errno Queue(Task task, FutexWaiter waiter, UserPtr address, in FutexKey key, uint expected, uint bits)
    {
        FutexBucket bucket = BucketOf(key);
        lock (bucket.Lock)
        {
            Errno error = task.Memory.Load(address, out uint seen);
            if (error != Errno.None || seen != expected)
            {
                return error != Errno.None ? error : Errno.EAGAIN;
            }

            waiter.Key = key;
            waiter.Bits = bits;
            waiter.OwnerTid = 0;
            bucket.AddLocked(waiter);
            return Errno.None;
        }
    }

    /// <summary>Takes a waiter out of whatever queue it stands in; false when it had been woken.</summary>
    private static bool Dequeue(FutexWaiter waiter)
    {
        while (Volatile.Read(ref waiter.Bucket) is { } bucket)
        {
            lock (bucket.Lock)
            {
                if (waiter.Bucket == bucket)
                {
                    bucket.RemoveLocked(waiter);
                    return true;
                }
            }
        }

        return false;
    }

    [RequiresLock("bucket.Lock")]
    private static Errno WakeLocked(FutexBucket bucket, in FutexKey key, int count, uint bits, out int woken)
    {
        woken = 0;
        for (FutexWaiter? waiter = bucket.First; waiter is not null && woken < count;)
        {
            FutexWaiter? next = waiter.Next;
            if (waiter.Key == key)
            {
                if (waiter.OwnerTid != 0)
                {
                    return Errno.EINVAL; // A priority-inheritance waiter: only FUTEX_UNLOCK_PI may wake it.
                }

                if ((waiter.Bits & bits) != 0)
                {
                    Task task = waiter.Task;
                    bucket.RemoveLocked(waiter);
                    task.Wake();
                    woken++;
                }
            }

            waiter = next;
        }

        return Errno.None;
    }

    [RequiresLock("source.Lock")]
    [RequiresLock("target.Lock")]
    private static void MoveLocked(FutexBucket source, FutexBucket target, FutexWaiter waiter, in FutexKey key)
    {
        waiter.Key = key;
        if (source != target)
        {
            source.UnlinkLocked(waiter);
            target.AddLocked(waiter);
        }
    }
}

/// <summary>One futex of futex_waitv(2).</summary>
/// <param name="Address">The word.</param>
/// <param name="Expected">The value it must have.</param>
/// <param name="IsPrivate">FUTEX2_PRIVATE.</param>
public readonly record struct FutexWaitRequest(UserPtr Address, uint Expected, bool IsPrivate);

/// <summary>The encoded operation of FUTEX_WAKE_OP.</summary>
internal static class FutexOperation
{
    internal static Errno Apply(MemoryManager memory, UserPtr address, uint encoded, out bool condition)
    {
        int operation = (int)((encoded >> 28) & 7);
        bool shifts = ((encoded >> 28) & 8) != 0;
        int comparison = (int)((encoded >> 24) & 15);
        int operand = SignExtend12((encoded >> 12) & 0xfff);
        int compared = SignExtend12(encoded & 0xfff);
        condition = false;
        if (shifts)
        {
            operand = 1 << (operand & 31);
        }

        AtomicOperation? atomic = operation switch
        {
            0 => AtomicOperation.Exchange,
            1 => AtomicOperation.Add,
            2 => AtomicOperation.Or,
            3 => AtomicOperation.And,
            4 => AtomicOperation.Xor,
            _ => null,
        };
        if (atomic is null || comparison > 5)
        {
            return Errno.ENOSYS;
        }

        uint value = unchecked((uint)(operation == 3 ? ~operand : operand));
        Errno error = memory.Modify(atomic.Value, address, value, out uint oldWord);
        int old = unchecked((int)oldWord);
        condition = comparison switch
        {
            0 => old == compared,
            1 => old != compared,
            2 => old < compared,
            3 => old <= compared,
            4 => old > compared,
            _ => old >= compared,
        };
        return error;
    }

    private static int SignExtend12(uint value) => unchecked((int)(value << 20)) >> 20;
}
