// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Futexes;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>futex, futex_waitv, get_robust_list, set_robust_list.</content>
public static partial class Handlers
{
    private const int FutexWaitOp = 0, FutexWakeOp = 1, FutexRequeueOp = 3, FutexCmpRequeueOp = 4, FutexWakeOpOp = 5, FutexLockPi = 6, FutexUnlockPi = 7;
    private const int FutexTryLockPi = 8, FutexWaitBitset = 9, FutexWakeBitset = 10, FutexLockPi2 = 13;
    private const int FutexCommandMask = 0x7f, FutexPrivateFlag = 0x80, FutexClockRealtime = 0x100;
    private const uint Futex2Size32 = 2, Futex2Private = 128, FutexWaitvMaximum = 128;
    private const ulong RobustListHeadSize = 24;

    /// <summary>futex(2)</summary>
    public static partial Blocking<SyscallResult> Futex(Task task, UserPtr uaddr, int op, uint val, UserPtr timeout, UserPtr uaddr2, uint val3)
    {
        int command = op & FutexCommandMask;
        bool isPrivate = (op & FutexPrivateFlag) != 0;
        bool isRealtime = (op & FutexClockRealtime) != 0;
        if (isRealtime && command is not (FutexWaitOp or FutexWaitBitset or FutexLockPi or FutexLockPi2))
        {
            return (SyscallResult)Errno.ENOSYS;
        }

        FutexTable futexes = task.Kernel.Futexes;
        MemoryManager memory = task.Memory;
        int count = unchecked((int)val);
        int second = unchecked((int)timeout.Address); // val2 lies where other commands have the timeout.
        switch (command)
        {
            case FutexWaitOp:
            {
                Errno error = ReadFutexDeadline(task, timeout, isRelative: true, isRealtime, out long deadlineNs);
                return error != Errno.None ? (SyscallResult)error : FutexWait(task, uaddr, isPrivate, val, uint.MaxValue, deadlineNs, isRelative: true);
            }

            case FutexWaitBitset:
            {
                Errno error = ReadFutexDeadline(task, timeout, isRelative: false, isRealtime, out long deadlineNs);
                return error != Errno.None || val3 == 0
                    ? (SyscallResult)(error != Errno.None ? error : Errno.EINVAL)
                    : FutexWait(task, uaddr, isPrivate, val, val3, deadlineNs, isRelative: false);
            }

            case FutexWakeOp or FutexWakeBitset:
            {
                uint bits = command == FutexWakeOp ? uint.MaxValue : val3;
                if (bits == 0)
                {
                    return (SyscallResult)Errno.EINVAL;
                }

                // As Linux: at least one is woken, whatever the count says.
                Errno error = futexes.Wake(memory, uaddr, isPrivate, Math.Max(1, count), bits, out int woken);
                return error == Errno.None ? (SyscallResult)woken : error;
            }

            case FutexRequeueOp or FutexCmpRequeueOp:
            {
                if (count < 0 || second < 0)
                {
                    return (SyscallResult)Errno.EINVAL;
                }

                Errno error = futexes.Requeue(memory, uaddr, uaddr2, isPrivate, command == FutexCmpRequeueOp ? val3 : null, count, second, out int woken, out int moved);
                return error == Errno.None ? (SyscallResult)(woken + moved) : error;
            }

            case FutexWakeOpOp:
            {
                Errno error = futexes.WakeOperation(memory, uaddr, uaddr2, isPrivate, Math.Max(1, count), Math.Max(1, second), val3, out int woken);
                return error == Errno.None ? (SyscallResult)woken : error;
            }

            case FutexLockPi or FutexLockPi2:
            {
                // FUTEX_LOCK_PI has always meant the realtime clock.
                Errno error = ReadFutexDeadline(task, timeout, isRelative: false, isRealtime || command == FutexLockPi, out long deadlineNs);
                return error != Errno.None ? (SyscallResult)error : LockPi(task, uaddr, isPrivate, tries: false, deadlineNs);
            }

            case FutexTryLockPi:
                return LockPi(task, uaddr, isPrivate, tries: true, GuestTime.Forever);

            case FutexUnlockPi:
                return (SyscallResult)futexes.UnlockPi(task, uaddr, isPrivate);

            default:
                return (SyscallResult)Errno.ENOSYS;
        }
    }

    /// <summary>futex_waitv(2)</summary>
    public static partial Blocking<SyscallResult> FutexWaitv(Task task, UserPtr waiters, uint nrFutexes, uint flags, UserPtr timeout, int clockid)
    {
        if (flags != 0 || nrFutexes is 0 or > FutexWaitvMaximum || waiters.IsNull || (!timeout.IsNull && clockid is not (0 or 1)))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = ReadFutexDeadline(task, timeout, isRelative: false, isRealtime: clockid == 0, out long deadlineNs);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        FutexWaitRequest[] requests = new FutexWaitRequest[nrFutexes];
        for (int i = 0; i < requests.Length; i++)
        {
            error = task.Memory.CopyIn(waiters.Offset((ulong)i * GuestFutexWaitv.Size), out GuestFutexWaitv wanted);
            if (error != Errno.None)
            {
                return (SyscallResult)error;
            }

            if ((wanted.Flags & ~Futex2Private) != Futex2Size32 || wanted.Reserved != 0)
            {
                return (SyscallResult)Errno.EINVAL;
            }

            requests[i] = new FutexWaitRequest(new UserPtr(wanted.Address), unchecked((uint)wanted.Value), (wanted.Flags & Futex2Private) != 0);
        }

        return FutexWaitAny(task, requests, deadlineNs);
    }

    /// <summary>set_robust_list(2)</summary>
    public static partial SyscallResult SetRobustList(Task task, UserPtr head, ulong len)
    {
        if (len != RobustListHeadSize)
        {
            return Errno.EINVAL;
        }

        task.RobustList = head;
        return Errno.None;
    }

    /// <summary>get_robust_list(2)</summary>
    public static partial SyscallResult GetRobustList(Task task, int pid, UserPtr headPtr, UserPtr lenPtr)
    {
        Task? target = pid == 0 ? task : task.Kernel.Tasks.FindTask(task.PidNamespace, pid);
        if (target is null)
        {
            return Errno.ESRCH;
        }

        if (!Core.Credentials.TaskAccess.MayInspect(task, target))
        {
            return Errno.EPERM;
        }

        Errno error = task.Memory.CopyOut(lenPtr, RobustListHeadSize);
        return error != Errno.None ? error : task.Memory.CopyOut(headPtr, target.RobustList.Address);
    }

    private static Errno ReadFutexDeadline(Task task, UserPtr timeout, bool isRelative, bool isRealtime, out long deadlineNs)
    {
        deadlineNs = GuestTime.Forever;
        if (timeout.IsNull)
        {
            return Errno.None;
        }

        Errno error = task.Memory.CopyIn(timeout, out GuestTimespec time);
        if (error != Errno.None || (error = GuestTime.ToNs(time, out long ns)) != Errno.None)
        {
            return error;
        }

        deadlineNs = isRelative ? GuestTime.After(ns) : isRealtime ? ClockTable.RealtimeToMonotonic(ns) : ns;
        return Errno.None;
    }

    private static async Blocking<SyscallResult> FutexWait(Task task, UserPtr address, bool isPrivate, uint expected, uint bits, long deadlineNs, bool isRelative)
    {
        Errno error = await task.Kernel.Futexes.Wait(task, address, isPrivate, expected, bits, deadlineNs);
        if (error != Errno.EINTR)
        {
            return error;
        }

        if (deadlineNs == GuestTime.Forever)
        {
            return SyscallResult.Restarts(Restart.IfHandlerAllows);
        }

        if (!isRelative)
        {
            return SyscallResult.Restarts(Restart.IfNoHandler); // The deadline is absolute: the same call again waits just as long.
        }

        task.RestartBlock = new FutexRestart(address, isPrivate, expected, bits, deadlineNs);
        return SyscallResult.Restarts(Restart.ByRestartBlock);
    }

    private static async Blocking<SyscallResult> LockPi(Task task, UserPtr address, bool isPrivate, bool tries, long deadlineNs)
    {
        Errno error = await task.Kernel.Futexes.LockPi(task, address, isPrivate, tries, deadlineNs);
        return error == Errno.EINTR ? SyscallResult.Restarts(Restart.Always) : error;
    }

    private static async Blocking<SyscallResult> FutexWaitAny(Task task, FutexWaitRequest[] requests, long deadlineNs)
    {
        (int index, Errno error) = await task.Kernel.Futexes.WaitAny(task, requests, deadlineNs);
        return error switch
        {
            Errno.None => index,
            Errno.EINTR => SyscallResult.Restarts(Restart.IfHandlerAllows),
            _ => error,
        };
    }

    private sealed class FutexRestart(UserPtr address, bool isPrivate, uint expected, uint bits, long deadlineNs) : RestartBlock
    {
        public override Blocking<SyscallResult> Continue(Task task) => FutexWait(task, address, isPrivate, expected, bits, deadlineNs, isRelative: true);
    }

    /// <summary>struct futex_waitv.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(24)]
    private struct GuestFutexWaitv
    {
        internal const ulong Size = 24;

        internal ulong Value;
        internal ulong Address;
        internal uint Flags;
        internal uint Reserved;
    }
}
