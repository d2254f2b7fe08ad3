// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Core.Futexes;

/// <summary>Locks in the word (FUTEX_LOCK_PI and its family) and robust lists. Priorities are not inherited: all tasks run alike.</summary>
public sealed partial class FutexTable
{
    private const uint WaitersBit = 0x8000_0000, OwnerDiedBit = 0x4000_0000, TidMask = 0x3fff_ffff;
    private const int RobustListLimit = 2048;

    /// <summary>Takes the lock, or waits until it is handed over.</summary>
    /// <param name="task">The task.</param>
    /// <param name="address">The word.</param>
    /// <param name="isPrivate">FUTEX_PRIVATE_FLAG.</param>
    /// <param name="tries">Whether not to wait (FUTEX_TRYLOCK_PI): EAGAIN.</param>
    /// <param name="deadlineNs">On the monotonic clock.</param>
    /// <returns>None; EDEADLK when the task has it; ESRCH when the owner does not exist; ETIMEDOUT; EINTR.</returns>
    public async Blocking<Errno> LockPi(Task task, UserPtr address, bool isPrivate, bool tries, long deadlineNs)
    {
        Errno error = GetKey(task.Memory, address, isPrivate, out FutexKey key);
        if (error != Errno.None)
        {
            return error;
        }

        FutexWaiter waiter = task.FutexWaiter;
        task.PrepareToWait();
        error = TryLockPi(task, address, key, waiter, tries, out bool isOwner);
        if (error != Errno.None || isOwner)
        {
            return error;
        }

        return await Wait(task, waiter, deadlineNs);
    }

    /// <summary>Gives the lock up: to the first waiter, when there is one.</summary>
    /// <returns>None; EPERM when the task does not have it.</returns>
    public Errno UnlockPi(Task task, UserPtr address, bool isPrivate)
    {
        Errno error = GetKey(task.Memory, address, isPrivate, out FutexKey key);
        if (error != Errno.None)
        {
            return error;
        }

        FutexBucket bucket = BucketOf(key);
        lock (bucket.Lock)
        {
            while (true)
            {
                error = task.Memory.Load(address, out uint word);
                if (error != Errno.None || (word & TidMask) != unchecked((uint)task.Id.Local))
                {
                    return error != Errno.None ? error : Errno.EPERM;
                }

                error = HandOverLocked(task.Memory, bucket, address, key, word, ownerDied: false, out bool raced);
                if (error != Errno.None || !raced)
                {
                    return error;
                }
            }
        }
    }

    private Errno TryLockPi(Task task, UserPtr address, in FutexKey key, FutexWaiter waiter, bool tries, out bool isOwner)
    {
        FutexBucket bucket = BucketOf(key);
        uint tid = unchecked((uint)task.Id.Local);
        isOwner = false;
        lock (bucket.Lock)
        {
            while (true)
            {
                Errno error = task.Memory.Load(address, out uint word);
                if (error != Errno.None)
                {
                    return error;
                }

                uint owner = word & TidMask;
                if (owner == tid)
                {
                    return Errno.EDEADLK;
                }

                if (owner != 0 && task.Kernel.Tasks.FindTask(task.PidNamespace, (int)owner) is null)
                {
                    return Errno.ESRCH;
                }

                if (owner != 0 && tries)
                {
                    return Errno.EAGAIN;
                }

                uint wanted = owner == 0 ? (word & (OwnerDiedBit | WaitersBit)) | tid : word | WaitersBit;
                error = task.Memory.CompareExchange(address, word, wanted, out uint seen);
                if (error != Errno.None)
                {
                    return error;
                }

                if (seen != word)
                {
                    continue;
                }

                isOwner = owner == 0;
                if (!isOwner)
                {
                    waiter.Key = key;
                    waiter.Bits = uint.MaxValue;
                    waiter.OwnerTid = (int)tid;
                    bucket.AddLocked(waiter);
                }

                return Errno.None;
            }
        }
    }

    [RequiresLock("bucket.Lock")]
    private static Errno HandOverLocked(MemoryManager memory, FutexBucket bucket, UserPtr address, in FutexKey key, uint word, bool ownerDied, out bool raced)
    {
        FutexWaiter? heir = null;
        bool more = false;
        for (FutexWaiter? waiter = bucket.First; waiter is not null; waiter = waiter.Next)
        {
            if (waiter.Key == key && waiter.OwnerTid != 0)
            {
                more = heir is not null;
                heir ??= waiter;
            }
        }

        uint next = heir is null ? 0 : unchecked((uint)heir.OwnerTid) | (more ? WaitersBit : 0);
        Errno error = memory.CompareExchange(address, word, next | (ownerDied ? OwnerDiedBit : 0), out uint seen);
        raced = seen != word;
        if (error == Errno.None && !raced && heir is not null)
        {
            Task task = heir.Task;
            bucket.RemoveLocked(heir);
            task.Wake();
        }

        return error;
    }

    /// <summary>Marks the robust futexes of a task that ends, or whose memory goes, as abandoned (set_robust_list(2)).</summary>
    internal void ReleaseRobustList(Task task)
    {
        UserPtr head = task.RobustList;
        task.RobustList = default;
        if (head.IsNull || task.Memory.CopyIn(head, out RobustListHead list) != Errno.None)
        {
            return;
        }

        ulong entry = list.First;
        for (int i = 0; i < RobustListLimit && (entry & ~1UL) != head.Address; i++)
        {
            UserPtr node = new(entry & ~1UL);
            Errno error = task.Memory.CopyIn(node, out ulong next);
            if (entry != list.Pending)
            {
                Abandon(task, node, list.Offset, (entry & 1) != 0, isPending: false);
            }

            if (error != Errno.None)
            {
                return;
            }

            entry = next;
        }

        if (list.Pending != 0)
        {
            Abandon(task, new UserPtr(list.Pending & ~1UL), list.Offset, (list.Pending & 1) != 0, isPending: true);
        }
    }

    private void Abandon(Task task, UserPtr node, ulong offset, bool isPi, bool isPending)
    {
        UserPtr address = node.Offset(offset);
        MemoryManager memory = task.Memory;
        if ((address.Address & 3) != 0 || GetKey(memory, address, isPrivate: false, out FutexKey key) != Errno.None)
        {
            return;
        }

        FutexBucket bucket = BucketOf(key);
        while (true)
        {
            uint word;
            if (memory.Load(address, out word) != Errno.None)
            {
                return;
            }

            if (isPending && !isPi && word == 0)
            {
                _ = Wake(memory, address, isPrivate: false, 1, uint.MaxValue, out _);
                return;
            }

            if ((word & TidMask) != unchecked((uint)task.Id.Local))
            {
                return;
            }

            if (isPi)
            {
                lock (bucket.Lock)
                {
                    Errno error = HandOverLocked(memory, bucket, address, key, word, ownerDied: true, out bool raced);
                    if (error != Errno.None || !raced)
                    {
                        return;
                    }
                }

                continue;
            }

            if (memory.CompareExchange(address, word, (word & WaitersBit) | OwnerDiedBit, out uint seen) != Errno.None)
            {
                return;
            }

            if (seen == word)
            {
                if ((word & WaitersBit) != 0)
                {
                    _ = Wake(memory, address, isPrivate: false, 1, uint.MaxValue, out _);
                }

                return;
            }
        }
    }

    /// <summary>struct robust_list_head.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Sequential)]
    [AbiStruct(24)]
    private struct RobustListHead
    {
        internal ulong First;
        internal ulong Offset;
        internal ulong Pending;
    }
}
