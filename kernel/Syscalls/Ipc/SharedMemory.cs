// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Ipc;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Platforms;
using CVisor.Syscalls.Ipc;

namespace CVisor.Syscalls;

/// <content>shmget, shmat, shmdt, shmctl.</content>
public static partial class Handlers
{
    private const int ShmReadOnly = 0x1000, ShmRound = 0x2000, ShmRemap = 0x4000, ShmExecute = 0x8000;
    private const int ShmLock = 11, ShmUnlock = 12, ShmStat = 13, ShmInfo = 14, ShmStatAny = 15;
    private const ulong MaximumSegmentBytes = 1UL << 36;

    /// <summary>shmget(2)</summary>
    public static partial SyscallResult Shmget(Task task, int key, ulong size, int shmflg)
    {
        Errno error = task.Namespaces.Ipc.SharedMemory.GetOrCreate(
            task,
            key,
            shmflg,
            found => size <= found.LengthBytes,
            (out SharedMemorySegment? made) =>
            {
                made = null;
                return size is 0 or > MaximumSegmentBytes ? Errno.EINVAL : SharedMemorySegment.Create(task, key, unchecked((uint)shmflg), size, out made);
            },
            out int id);
        return error != Errno.None ? error : id;
    }

    /// <summary>shmat(2)</summary>
    public static partial SyscallResult Shmat(Task task, int shmid, UserPtr addr, int shmflg)
    {
        ulong address = addr.Address;
        if ((address & (MemoryManager.PageSize - 1)) != 0)
        {
            if ((shmflg & ShmRound) == 0)
            {
                return Errno.EINVAL;
            }

            address &= ~(MemoryManager.PageSize - 1);
        }

        if ((shmflg & ShmRemap) != 0 && address == 0)
        {
            return Errno.EINVAL;
        }

        bool isReadOnly = (shmflg & ShmReadOnly) != 0;
        bool isExecutable = (shmflg & ShmExecute) != 0;
        Errno error = task.Namespaces.Ipc.SharedMemory.Find(task, shmid, 4U | (isReadOnly ? 0U : 2U) | (isExecutable ? 1U : 0U), out SharedMemorySegment segment);
        if (error != Errno.None)
        {
            return error;
        }

        MemoryAccess access = MemoryAccess.Read | (isReadOnly ? MemoryAccess.None : MemoryAccess.Write) | (isExecutable ? MemoryAccess.Execute : MemoryAccess.None);
        MemoryAccess maximum = MemoryAccess.Read | MemoryAccess.Execute | (isReadOnly ? MemoryAccess.None : MemoryAccess.Write);
        error = segment.Attach(task, address, access, maximum, (shmflg & ShmRemap) != 0, out UserPtr mapped);
        return error != Errno.None ? error : unchecked((long)mapped.Address);
    }

    /// <summary>shmdt(2)</summary>
    public static partial SyscallResult Shmdt(Task task, UserPtr addr) => SharedMemorySegment.Detach(task, addr);

    /// <summary>shmctl(2)</summary>
    public static partial SyscallResult Shmctl(Task task, int shmid, int cmd, UserPtr buf)
    {
        IpcTable<SharedMemorySegment> table = task.Namespaces.Ipc.SharedMemory;
        SharedMemorySegment segment;
        Errno error;
        switch (cmd & ~IpcCommand.Version64)
        {
            case IpcCommand.Info:
                error = task.Memory.CopyOut(buf, new GuestSegmentLimits { MaximumBytes = MaximumSegmentBytes, MinimumBytes = 1, MaximumSegments = 4096, MaximumPerProcess = 4096, MaximumPages = MaximumSegmentBytes / MemoryManager.PageSize });
                return error != Errno.None ? error : table.HighestIndex;
            case ShmInfo:
                error = task.Memory.CopyOut(buf, UseOf(table));
                return error != Errno.None ? error : table.HighestIndex;
            case IpcCommand.Status:
                error = table.Find(task, shmid, 4, out segment);
                return error != Errno.None ? error : task.Memory.CopyOut(buf, StatusOf(segment));
            case ShmStat or ShmStatAny:
                error = table.FindByIndex(task, shmid, (cmd & ~IpcCommand.Version64) == ShmStat, out segment);
                error = error != Errno.None ? error : task.Memory.CopyOut(buf, StatusOf(segment));
                return error != Errno.None ? error : segment.Id;
            case IpcCommand.Set:
                error = task.Memory.CopyIn(buf, out GuestSegmentStatus wanted);
                error = error != Errno.None ? error : table.FindForControl(task, shmid, out segment);
                if (error == Errno.None && table.Find(shmid, out segment) == Errno.None)
                {
                    segment.SetOwner(wanted.Permissions.Uid, wanted.Permissions.Gid, wanted.Permissions.Mode);
                }

                return error;
            case IpcCommand.Remove:
                error = table.FindForControl(task, shmid, out segment);
                if (error == Errno.None)
                {
                    segment.Destroy();
                }

                return error;
            case ShmLock or ShmUnlock:
                error = table.FindForControl(task, shmid, out segment);
                if (error == Errno.None)
                {
                    segment.SetLocked((cmd & ~IpcCommand.Version64) == ShmLock);
                }

                return error;
            default:
                return Errno.EINVAL;
        }
    }

    private static GuestSegmentStatus StatusOf(SharedMemorySegment segment) => new()
    {
        Permissions = GuestIpcPermissions.Of(segment),
        Length = segment.LengthBytes,
        AttachSeconds = segment.AttachSeconds,
        DetachSeconds = segment.DetachSeconds,
        ChangeSeconds = segment.ChangeSeconds,
        CreatorPid = segment.CreatorPid,
        LastPid = segment.LastPid,
        Attachments = (ulong)segment.Attachments,
    };

    private static GuestSegmentUse UseOf(IpcTable<SharedMemorySegment> table)
    {
        GuestSegmentUse use = default;
        foreach (SharedMemorySegment segment in table.All())
        {
            use.Count++;
            use.TotalPages += (segment.LengthBytes + MemoryManager.PageSize - 1) / MemoryManager.PageSize;
        }

        use.ResidentPages = use.TotalPages;
        return use;
    }
}
