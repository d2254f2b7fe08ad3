// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Ipc;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;
using CVisor.Syscalls.Ipc;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>semget, semop, semtimedop, semctl.</content>
public static partial class Handlers
{
    private const int SemGetPid = 11, SemGetValue = 12, SemGetAll = 13, SemGetNegative = 14, SemGetZero = 15, SemSetValue = 16, SemSetAll = 17, SemStat = 18, SemInfo = 19, SemStatAny = 20;

    /// <summary>semget(2)</summary>
    public static partial SyscallResult Semget(Task task, int key, int nsems, int semflg)
    {
        if (nsems is < 0 or > SemaphoreSet.MaximumLength)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Namespaces.Ipc.Semaphores.GetOrCreate(
            task,
            key,
            semflg,
            found => nsems <= found.Length,
            (out SemaphoreSet? made) =>
            {
                made = nsems == 0 ? null : new SemaphoreSet(task, key, unchecked((uint)semflg), nsems);
                return made is null ? Errno.EINVAL : Errno.None;
            },
            out int id);
        return error != Errno.None ? error : id;
    }

    /// <summary>semop(2)</summary>
    public static partial Blocking<SyscallResult> Semop(Task task, int semid, UserPtr sops, ulong nsops) => SemaphoreOperations(task, semid, sops, nsops, GuestTime.Forever);

    /// <summary>semtimedop(2)</summary>
    public static partial Blocking<SyscallResult> Semtimedop(Task task, int semid, UserPtr sops, ulong nsops, UserPtr timeout)
    {
        Errno error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        return error != Errno.None ? (SyscallResult)error : SemaphoreOperations(task, semid, sops, nsops, deadlineNs);
    }

    /// <summary>semctl(2)</summary>
    public static partial SyscallResult Semctl(Task task, int semid, int semnum, int cmd, ulong arg)
    {
        IpcTable<SemaphoreSet> table = task.Namespaces.Ipc.Semaphores;
        UserPtr pointer = new(arg);
        int command = cmd & ~IpcCommand.Version64;
        SemaphoreSet set;
        Errno error;
        switch (command)
        {
            case IpcCommand.Info or SemInfo:
                error = task.Memory.CopyOut(pointer, LimitsOf(table, command == SemInfo));
                return error != Errno.None ? error : table.HighestIndex;
            case IpcCommand.Status:
                error = table.Find(task, semid, 4, out set);
                return error != Errno.None ? error : task.Memory.CopyOut(pointer, StatusOf(set));
            case SemStat or SemStatAny:
                error = table.FindByIndex(task, semid, command == SemStat, out set);
                error = error != Errno.None ? error : task.Memory.CopyOut(pointer, StatusOf(set));
                return error != Errno.None ? error : set.Id;
            case IpcCommand.Set:
                error = task.Memory.CopyIn(pointer, out GuestSemaphoreStatus wanted);
                error = error != Errno.None ? error : table.FindForControl(task, semid, out set);
                if (error == Errno.None && table.Find(semid, out set) == Errno.None)
                {
                    set.SetOwner(wanted.Permissions.Uid, wanted.Permissions.Gid, wanted.Permissions.Mode);
                }

                return error;
            case IpcCommand.Remove:
                error = table.FindForControl(task, semid, out set);
                if (error == Errno.None)
                {
                    table.Remove(set);
                }

                return error;
            case SemGetAll:
                error = table.Find(task, semid, 4, out set);
                return error != Errno.None ? error : task.Memory.CopyOut(pointer, Blit.AsBytes((ReadOnlySpan<ushort>)set.GetAll()));
            case SemSetAll:
                error = table.Find(task, semid, 2, out set);
                return error != Errno.None ? error : SetAll(task, set, pointer);
            case SemSetValue:
                error = table.Find(task, semid, 2, out set);
                return error != Errno.None ? error : SetValue(task, set, semnum, unchecked((int)arg));
            case SemGetPid or SemGetValue or SemGetNegative or SemGetZero:
                error = table.Find(task, semid, 4, out set);
                return error != Errno.None ? error : semnum < 0 || semnum >= set.Length ? Errno.EINVAL : command switch
                {
                    SemGetPid => set.GetLastPid(semnum),
                    SemGetValue => set.GetValue(semnum),
                    _ => set.GetWaiting(semnum, command == SemGetZero),
                };
            default:
                return Errno.EINVAL;
        }
    }

    private static Blocking<SyscallResult> SemaphoreOperations(Task task, int semid, UserPtr sops, ulong nsops, long deadlineNs)
    {
        if (nsops == 0 || semid < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if (nsops > SemaphoreSet.MaximumOperations)
        {
            return (SyscallResult)Errno.E2BIG;
        }

        SemaphoreOperation[] operations = new SemaphoreOperation[(int)nsops];
        Errno error = task.Memory.CopyIn(sops, Blit.AsBytes(operations.AsSpan()));
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        int highest = 0;
        bool changes = false;
        foreach (SemaphoreOperation operation in operations)
        {
            highest = Math.Max(highest, operation.Index);
            changes |= operation.Delta != 0;
        }

        error = task.Namespaces.Ipc.Semaphores.Find(semid, out SemaphoreSet set);
        error = error != Errno.None ? error
            : highest >= set.Length ? Errno.EFBIG
            : task.Namespaces.Ipc.Semaphores.Find(task, semid, changes ? 2U : 4U, out set);
        return error != Errno.None ? (SyscallResult)error : set.Operate(task, operations, deadlineNs);
    }

    private static SyscallResult SetValue(Task task, SemaphoreSet set, int index, int value)
    {
        if (index < 0 || index >= set.Length)
        {
            return Errno.EINVAL;
        }

        if (value is < 0 or > SemaphoreSet.MaximumValue)
        {
            return Errno.ERANGE;
        }

        set.Set(task, index, [(ushort)value]);
        return Errno.None;
    }

    private static SyscallResult SetAll(Task task, SemaphoreSet set, UserPtr pointer)
    {
        ushort[] values = new ushort[set.Length];
        Errno error = task.Memory.CopyIn(pointer, Blit.AsBytes(values.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        foreach (ushort value in values)
        {
            if (value > SemaphoreSet.MaximumValue)
            {
                return Errno.ERANGE;
            }
        }

        set.Set(task, 0, values);
        return Errno.None;
    }

    private static GuestSemaphoreStatus StatusOf(SemaphoreSet set) => new()
    {
        Permissions = GuestIpcPermissions.Of(set),
        OperationSeconds = set.OperationSeconds,
        ChangeSeconds = set.ChangeSeconds,
        Length = (ulong)set.Length,
    };

    private static GuestSemaphoreLimits LimitsOf(IpcTable<SemaphoreSet> table, bool isUse)
    {
        int semaphores = 0;
        foreach (SemaphoreSet set in table.All())
        {
            semaphores += set.Length;
        }

        return new GuestSemaphoreLimits
        {
            Map = 1024000000,
            MaximumSets = 32000,
            MaximumSemaphores = 1024000000,
            MaximumUndo = 1024000000,
            MaximumPerSet = SemaphoreSet.MaximumLength,
            MaximumOperations = SemaphoreSet.MaximumOperations,
            UndoEntries = SemaphoreSet.MaximumOperations,
            UndoBytes = isUse ? table.Count : 20,
            MaximumValue = SemaphoreSet.MaximumValue,
            MaximumAdjustment = isUse ? semaphores : SemaphoreSet.MaximumValue,
        };
    }
}
