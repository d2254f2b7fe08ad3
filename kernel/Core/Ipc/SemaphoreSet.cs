// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Ipc;

/// <summary>struct sembuf.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(6)]
public struct SemaphoreOperation
{
    /// <summary>Which semaphore.</summary>
    public ushort Index;

    /// <summary>What to add; 0 waits for zero.</summary>
    public short Delta;

    /// <summary>IPC_NOWAIT, SEM_UNDO.</summary>
    public short Flags;
}

/// <summary>A System V semaphore set (semget(2)).</summary>
public sealed class SemaphoreSet : IpcObject
{
    /// <summary>The highest value (SEMVMX).</summary>
    public const int MaximumValue = 32767;

    /// <summary>The most semaphores in a set (SEMMSL).</summary>
    public const int MaximumLength = 32000;

    /// <summary>The most operations in a call (SEMOPM).</summary>
    public const int MaximumOperations = 500;

    private const short NoWait = 0x800, Undo = 0x1000;

    [GuardedBy(nameof(Lock))]
    private readonly int[] _values;
    [GuardedBy(nameof(Lock))]
    private readonly int[] _lastPids;
    [GuardedBy(nameof(Lock))]
    private readonly List<(int Index, bool ForZero)> _waiting = [];

    /// <summary>Makes a set of zeros.</summary>
    public SemaphoreSet(Task creator, int key, uint mode, int length)
        : base(creator, key, mode)
    {
        Length = length;
        _values = new int[length];
        _lastPids = new int[length];
    }

    /// <summary>How many semaphores there are.</summary>
    public int Length { get; }

    /// <summary>Last semop, in seconds since the epoch.</summary>
    public long OperationSeconds { get; private set; }

    /// <summary>GETVAL.</summary>
    public int GetValue(int index)
    {
        lock (Lock)
        {
            return _values[index];
        }
    }

    /// <summary>GETPID: who changed it last.</summary>
    public int GetLastPid(int index)
    {
        lock (Lock)
        {
            return _lastPids[index];
        }
    }

    /// <summary>GETNCNT, or GETZCNT with <paramref name="forZero"/>: how many wait.</summary>
    public int GetWaiting(int index, bool forZero)
    {
        lock (Lock)
        {
            int count = 0;
            foreach ((int Index, bool ForZero) waiting in _waiting)
            {
                count += waiting == (index, forZero) ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>GETALL.</summary>
    public ushort[] GetAll()
    {
        lock (Lock)
        {
            return Array.ConvertAll(_values, static value => (ushort)value);
        }
    }

    /// <summary>SETVAL and SETALL: pending undo of what is set is forgotten.</summary>
    /// <param name="task">Who.</param>
    /// <param name="first">The first semaphore.</param>
    /// <param name="values">The values, checked.</param>
    public void Set(Task task, int first, ReadOnlySpan<ushort> values)
    {
        lock (Lock)
        {
            for (int i = 0; i < values.Length; i++)
            {
                _values[first + i] = values[i];
                _lastPids[first + i] = task.ThreadGroup.Pid;
            }

            ChangeSeconds = NowSeconds;
        }

        SemaphoreUndo.Forget(this, first, values.Length);
        Queue.NotifyAll(PollEvents.Any);
    }

    /// <summary>semtimedop(2): does all of the operations, waiting until they can be done together.</summary>
    /// <param name="task">Who; it has the permission.</param>
    /// <param name="operations">The operations; indexes are checked.</param>
    /// <param name="deadlineNs">On the monotonic clock; 0 asks not to wait.</param>
    /// <returns>None; EAGAIN; ERANGE; EIDRM; EINTR.</returns>
    public async Blocking<SyscallResult> Operate(Task task, SemaphoreOperation[] operations, long deadlineNs)
    {
        Errno error = Try(task, operations, out (int, bool) blockedOn);
        if (error != Errno.EAGAIN || blockedOn.Item1 < 0)
        {
            return error;
        }

        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.Any);
        try
        {
            while (true)
            {
                error = Try(task, operations, out blockedOn);
                if (error != Errno.EAGAIN || blockedOn.Item1 < 0)
                {
                    return error;
                }

                BlockOutcome outcome = BlockOutcome.TimedOut;
                if (deadlineNs != 0)
                {
                    SetWaiting(blockedOn, true);
                    outcome = await task.Block(deadlineNs);
                    SetWaiting(blockedOn, false);
                }

                switch (outcome)
                {
                    case BlockOutcome.TimedOut:
                        return Errno.EAGAIN;
                    case BlockOutcome.Interrupted:
                        // Never restarted (signal(7)).
                        return Errno.EINTR;
                }
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <summary>A process ends: what it asked to be undone is undone, as far as the range allows.</summary>
    internal void ApplyUndo(int pid, int[] deltas)
    {
        lock (Lock)
        {
            for (int i = 0; i < deltas.Length; i++)
            {
                if (deltas[i] != 0)
                {
                    _values[i] = Math.Clamp(_values[i] + deltas[i], 0, MaximumValue);
                    _lastPids[i] = pid;
                }
            }
        }

        Queue.NotifyAll(PollEvents.Any);
    }

    private void SetWaiting((int Index, bool ForZero) what, bool isWaiting)
    {
        lock (Lock)
        {
            if (isWaiting)
            {
                _waiting.Add(what);
            }
            else
            {
                _ = _waiting.Remove(what);
            }
        }
    }

    /// <summary>Does all operations or none.</summary>
    /// <param name="task">Who.</param>
    /// <param name="operations">What.</param>
    /// <param name="blockedOn">With EAGAIN, what to wait for; an index of -1 when the operation asks not to wait.</param>
    private Errno Try(Task task, SemaphoreOperation[] operations, out (int Index, bool ForZero) blockedOn)
    {
        blockedOn = (-1, false);
        bool changes = false;
        lock (Lock)
        {
            if (IsRemoved)
            {
                return Errno.EIDRM;
            }

            Errno error = Errno.None;
            int done = 0;
            for (; done < operations.Length && error == Errno.None; done++)
            {
                SemaphoreOperation operation = operations[done];
                int value = _values[operation.Index];
                bool blocks = operation.Delta == 0 ? value != 0 : value + operation.Delta < 0;
                if (blocks)
                {
                    error = Errno.EAGAIN;
                    blockedOn = (operation.Flags & NoWait) != 0 ? (-1, false) : (operation.Index, operation.Delta == 0);
                    break;
                }

                if (value + operation.Delta > MaximumValue)
                {
                    error = Errno.ERANGE;
                    break;
                }

                _values[operation.Index] = value + operation.Delta;
                changes |= operation.Delta != 0;
            }

            if (error != Errno.None)
            {
                for (int i = done - 1; i >= 0; i--)
                {
                    _values[operations[i].Index] -= operations[i].Delta;
                }

                return error;
            }

            foreach (SemaphoreOperation operation in operations)
            {
                _lastPids[operation.Index] = task.ThreadGroup.Pid;
                if ((operation.Flags & Undo) != 0 && operation.Delta != 0)
                {
                    task.ThreadGroup.SemaphoreUndo.Add(this, operation.Index, -operation.Delta);
                }
            }

            OperationSeconds = NowSeconds;
        }

        if (changes)
        {
            Queue.NotifyAll(PollEvents.Any);
        }

        return Errno.None;
    }
}
