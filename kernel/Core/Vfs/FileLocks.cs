// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>A range of a file, locked or asked for.</summary>
/// <param name="Owner">Whose: an <see cref="FdTable"/> (POSIX locks) or a <see cref="FileDescription"/> (OFD locks, flock).</param>
/// <param name="IsWrite">Whether it excludes readers too.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">Last byte; <see cref="long.MaxValue"/> for the end of the file, however far.</param>
/// <param name="Pid">The locking process, for F_GETLK; -1 for OFD locks.</param>
public sealed record FileLock(object Owner, bool IsWrite, long Start, long End, int Pid)
{
    internal bool Overlaps(FileLock other) => Start <= other.End && other.Start <= End;

    internal bool ConflictsWith(FileLock other) => Owner != other.Owner && (IsWrite || other.IsWrite) && Overlaps(other);
}

/// <summary>The advisory locks on one file (flock(2), fcntl(2) POSIX and open-file-description locks).</summary>
/// <remarks>flock's locks and fcntl's know nothing of each other, as on Linux. Waiting is first come, first served only as far as the wait queue is.</remarks>
public sealed class FileLocks
{
    /// <summary>Who waits for whom, over all files: for EDEADLK of POSIX locks.</summary>
    private static readonly Dictionary<object, object> s_waiting = [];
    private static readonly Lock s_waitingLock = new();

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<FileLock> _ranges = [];
    [GuardedBy(nameof(_lock))]
    private readonly List<FileLock> _whole = [];
    private int _count;

    /// <summary>Waiters for something to be unlocked.</summary>
    public WaitQueue Queue { get; } = new();

    /// <summary>The first lock that keeps a range from being locked, or null (F_GETLK).</summary>
    public FileLock? FindConflict(FileLock wanted)
    {
        lock (_lock)
        {
            return _ranges.Find(wanted.ConflictsWith);
        }
    }

    /// <summary>Locks a range, replacing what its owner has there.</summary>
    /// <returns>None, or EAGAIN.</returns>
    public Errno TryLock(FileLock wanted)
    {
        bool isLess;
        lock (_lock)
        {
            if (_ranges.Exists(wanted.ConflictsWith))
            {
                return Errno.EAGAIN;
            }

            isLess = CutLocked(wanted);
            AddLocked(wanted);
        }

        if (isLess)
        {
            Queue.NotifyAll(PollEvents.Internal);
        }

        return Errno.None;
    }

    /// <summary>Locks a range, waiting for it.</summary>
    /// <returns>None; EDEADLK; EINTR when a signal came.</returns>
    public async Blocking<Errno> Lock(Task task, FileLock wanted)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.Internal);
        try
        {
            while (true)
            {
                if (TryLock(wanted) == Errno.None)
                {
                    return Errno.None;
                }

                if (FindConflict(wanted) is { } conflict)
                {
                    if (WouldDeadlock(wanted.Owner, conflict.Owner))
                    {
                        return Errno.EDEADLK;
                    }

                    if (await task.Block() != BlockOutcome.Woken)
                    {
                        return Errno.EINTR;
                    }
                }
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
            lock (s_waitingLock)
            {
                _ = s_waiting.Remove(wanted.Owner);
            }
        }
    }

    /// <summary>Unlocks what the owner has of a range.</summary>
    public void Unlock(FileLock range)
    {
        lock (_lock)
        {
            if (!CutLocked(range))
            {
                return;
            }
        }

        Queue.NotifyAll(PollEvents.Internal);
    }

    /// <summary>Locks the file as a whole (flock(2)); a lock the description has is converted, and lost when that fails.</summary>
    /// <returns>None, or EAGAIN.</returns>
    public Errno TryLockWhole(FileDescription owner, bool isWrite)
    {
        FileLock wanted = new(owner, isWrite, 0, long.MaxValue, 0);
        bool isLess;
        bool isRefused;
        lock (_lock)
        {
            FileLock? own = _whole.Find(each => each.Owner == owner);
            if (own is not null && own.IsWrite == isWrite)
            {
                return Errno.None;
            }

            isLess = own is not null && _whole.Remove(own);
            isRefused = _whole.Exists(wanted.ConflictsWith);
            if (!isRefused)
            {
                _whole.Add(wanted);
            }

            Volatile.Write(ref _count, _ranges.Count + _whole.Count);
        }

        if (isLess)
        {
            Queue.NotifyAll(PollEvents.Internal);
        }

        return isRefused ? Errno.EAGAIN : Errno.None;
    }

    /// <summary>Locks the file as a whole, waiting for it.</summary>
    /// <returns>None, or EINTR when a signal came.</returns>
    public async Blocking<Errno> LockWhole(Task task, FileDescription owner, bool isWrite)
    {
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.Internal);
        try
        {
            while (TryLockWhole(owner, isWrite) != Errno.None)
            {
                if (await task.Block() != BlockOutcome.Woken)
                {
                    return Errno.EINTR;
                }
            }

            return Errno.None;
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <summary>Drops the flock lock of a description.</summary>
    public void UnlockWhole(FileDescription owner)
    {
        lock (_lock)
        {
            if (_whole.RemoveAll(each => each.Owner == owner) == 0)
            {
                return;
            }

            Volatile.Write(ref _count, _ranges.Count + _whole.Count);
        }

        Queue.NotifyAll(PollEvents.Internal);
    }

    /// <summary>Drops the locks that an open file description owns.</summary>
    public void ReleaseDescription(FileDescription description)
    {
        ReleaseOwner(description);
        if (Volatile.Read(ref _count) != 0)
        {
            UnlockWhole(description);
        }
    }

    /// <summary>Drops the range locks of an owner: at each close of a descriptor of the file those of the descriptor table (POSIX).</summary>
    public void ReleaseOwner(object owner)
    {
        if (Volatile.Read(ref _count) != 0)
        {
            Unlock(new FileLock(owner, true, 0, long.MaxValue, 0));
        }
    }

    /// <summary>All locks, for /proc/locks: whether flock's, and the lock.</summary>
    public List<(bool IsWhole, FileLock Lock)> Report()
    {
        lock (_lock)
        {
            List<(bool, FileLock)> report = _whole.ConvertAll(each => (true, each));
            report.AddRange(_ranges.ConvertAll(each => (false, each)));
            return report;
        }
    }

    /// <summary>Takes a range out of what its owner has locked; true when there was something.</summary>
    [RequiresLock(nameof(_lock))]
    private bool CutLocked(FileLock range)
    {
        bool found = false;
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            FileLock each = _ranges[i];
            if (each.Owner != range.Owner || !each.Overlaps(range))
            {
                continue;
            }

            found = true;
            _ranges.RemoveAt(i);
            if (each.End > range.End)
            {
                _ranges.Insert(i, each with { Start = range.End + 1 });
            }

            if (each.Start < range.Start)
            {
                _ranges.Insert(i, each with { End = range.Start - 1 });
            }
        }

        Volatile.Write(ref _count, _ranges.Count + _whole.Count);
        return found;
    }

    /// <summary>Adds a range, joined with its like that touch it. Ranges are kept in order of their start.</summary>
    [RequiresLock(nameof(_lock))]
    private void AddLocked(FileLock wanted)
    {
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            FileLock each = _ranges[i];
            bool touches = each.End != long.MaxValue && each.End + 1 == wanted.Start || wanted.End != long.MaxValue && wanted.End + 1 == each.Start;
            if (each.Owner == wanted.Owner && each.IsWrite == wanted.IsWrite && touches)
            {
                wanted = wanted with { Start = Math.Min(each.Start, wanted.Start), End = Math.Max(each.End, wanted.End) };
                _ranges.RemoveAt(i);
            }
        }

        int at = _ranges.FindIndex(each => each.Start > wanted.Start);
        _ranges.Insert(at < 0 ? _ranges.Count : at, wanted);
        Volatile.Write(ref _count, _ranges.Count + _whole.Count);
    }

    /// <summary>Notes that one waits for another; true when that one, directly or not, waits for the first.</summary>
    private static bool WouldDeadlock(object waiter, object holder)
    {
        if (waiter is FileDescription)
        {
            return false; // OFD locks: a description is nobody who waits (fcntl(2)).
        }

        lock (s_waitingLock)
        {
            object? at = holder;
            for (int depth = 0; at is not null && depth < 64; depth++)
            {
                if (at == waiter)
                {
                    return true;
                }

                at = s_waiting.GetValueOrDefault(at);
            }

            s_waiting[waiter] = holder;
            return false;
        }
    }
}
