// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Ipc;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Syscalls.Ipc;

namespace CVisor.Syscalls;

/// <content>msgget, msgsnd, msgrcv, msgctl.</content>
public static partial class Handlers
{
    private const int MsgStat = 11, MsgInfo = 12, MsgStatAny = 13, MsgCopy = 0x4000;

    /// <summary>msgget(2)</summary>
    public static partial SyscallResult Msgget(Task task, int key, int msgflg)
    {
        Errno error = task.Namespaces.Ipc.MessageQueues.GetOrCreate(
            task,
            key,
            msgflg,
            static _ => true,
            (out SystemMessageQueue? made) =>
            {
                made = new SystemMessageQueue(task, key, unchecked((uint)msgflg));
                return Errno.None;
            },
            out int id);
        return error != Errno.None ? error : id;
    }

    /// <summary>msgsnd(2)</summary>
    public static partial Blocking<SyscallResult> Msgsnd(Task task, int msqid, UserPtr msgp, ulong msgsz, int msgflg)
    {
        Errno error = task.Memory.CopyIn(msgp, out long type);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (msgsz > SystemMessageQueue.MaximumMessageBytes || msqid < 0 || type < 1)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        byte[] text = new byte[(int)msgsz];
        error = task.Memory.CopyIn(msgp.Offset(sizeof(long)), text);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = task.Namespaces.Ipc.MessageQueues.Find(task, msqid, 2, out SystemMessageQueue queue);
        return error != Errno.None ? (SyscallResult)error : queue.Send(task, type, text, msgflg);
    }

    /// <summary>msgrcv(2)</summary>
    public static partial Blocking<SyscallResult> Msgrcv(Task task, int msqid, UserPtr msgp, ulong msgsz, long msgtyp, int msgflg)
    {
        if (msqid < 0 || msgsz > long.MaxValue)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if ((msgflg & MsgCopy) != 0)
        {
            // As a kernel without CONFIG_CHECKPOINT_RESTORE.
            return (SyscallResult)Errno.ENOSYS;
        }

        Errno error = task.Namespaces.Ipc.MessageQueues.Find(task, msqid, 4, out SystemMessageQueue queue);
        return error != Errno.None ? (SyscallResult)error : ReceiveFrom(task, queue, msgp, msgsz, msgtyp, msgflg);
    }

    /// <summary>msgctl(2)</summary>
    public static partial SyscallResult Msgctl(Task task, int msqid, int cmd, UserPtr buf)
    {
        IpcTable<SystemMessageQueue> table = task.Namespaces.Ipc.MessageQueues;
        int command = cmd & ~IpcCommand.Version64;
        SystemMessageQueue queue;
        Errno error;
        switch (command)
        {
            case IpcCommand.Info or MsgInfo:
                error = task.Memory.CopyOut(buf, LimitsOf(table, command == MsgInfo));
                return error != Errno.None ? error : table.HighestIndex;
            case IpcCommand.Status:
                error = table.Find(task, msqid, 4, out queue);
                return error != Errno.None ? error : task.Memory.CopyOut(buf, StatusOf(queue));
            case MsgStat or MsgStatAny:
                error = table.FindByIndex(task, msqid, command == MsgStat, out queue);
                error = error != Errno.None ? error : task.Memory.CopyOut(buf, StatusOf(queue));
                return error != Errno.None ? error : queue.Id;
            case IpcCommand.Set:
                error = task.Memory.CopyIn(buf, out GuestQueueStatus wanted);
                error = error != Errno.None ? error : table.FindForControl(task, msqid, out queue);
                return error != Errno.None || table.Find(msqid, out queue) != Errno.None ? error : Configure(task, queue, wanted);
            case IpcCommand.Remove:
                error = table.FindForControl(task, msqid, out queue);
                if (error == Errno.None)
                {
                    table.Remove(queue);
                }

                return error;
            default:
                return Errno.EINVAL;
        }
    }

    private static async Blocking<SyscallResult> ReceiveFrom(Task task, SystemMessageQueue queue, UserPtr msgp, ulong msgsz, long msgtyp, int msgflg)
    {
        (Errno error, long type, byte[] text) = await queue.Receive(task, msgtyp, msgsz, msgflg);
        if (error != Errno.None)
        {
            return error;
        }

        int length = (int)Math.Min((ulong)text.Length, msgsz);
        error = task.Memory.CopyOut(msgp, type);
        error = error != Errno.None ? error : task.Memory.CopyOut(msgp.Offset(sizeof(long)), text.AsSpan(0, length));
        return error != Errno.None ? error : length;
    }

    private static SyscallResult Configure(Task task, SystemMessageQueue queue, in GuestQueueStatus wanted)
    {
        if (wanted.CapacityBytes > SystemMessageQueue.DefaultCapacityBytes && !task.Credentials.Has(Capability.SysResource))
        {
            return Errno.EPERM;
        }

        queue.SetOwner(wanted.Permissions.Uid, wanted.Permissions.Gid, wanted.Permissions.Mode);
        queue.SetCapacity((long)Math.Min(wanted.CapacityBytes, int.MaxValue));
        return Errno.None;
    }

    private static GuestQueueStatus StatusOf(SystemMessageQueue queue) => new()
    {
        Permissions = GuestIpcPermissions.Of(queue),
        SendSeconds = queue.SendSeconds,
        ReceiveSeconds = queue.ReceiveSeconds,
        ChangeSeconds = queue.ChangeSeconds,
        UsedBytes = unchecked((ulong)queue.UsedBytes),
        Count = (ulong)queue.Count,
        CapacityBytes = unchecked((ulong)queue.CapacityBytes),
        LastSender = queue.LastSender,
        LastReceiver = queue.LastReceiver,
    };

    private static GuestQueueLimits LimitsOf(IpcTable<SystemMessageQueue> table, bool isUse)
    {
        long bytes = 0;
        int messages = 0;
        foreach (SystemMessageQueue queue in table.All())
        {
            bytes += queue.UsedBytes;
            messages += queue.Count;
        }

        return new GuestQueueLimits
        {
            Pool = isUse ? table.Count : 512000,
            Map = isUse ? messages : SystemMessageQueue.DefaultCapacityBytes,
            MaximumMessageBytes = SystemMessageQueue.MaximumMessageBytes,
            CapacityBytes = SystemMessageQueue.DefaultCapacityBytes,
            MaximumQueues = 32000,
            SegmentBytes = 16,
            Headers = isUse ? (int)Math.Clamp(bytes, 0, int.MaxValue) : SystemMessageQueue.DefaultCapacityBytes,
            Segments = 0xffff,
        };
    }
}
