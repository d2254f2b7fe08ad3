// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Core.Ipc;

namespace CVisor.Syscalls.Ipc;

/// <summary>struct ipc64_perm.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(48)]
internal struct GuestIpcPermissions
{
    internal int Key;
    internal uint Uid;
    internal uint Gid;
    internal uint CreatorUid;
    internal uint CreatorGid;
    internal uint Mode;
    internal ushort Sequence;
    internal ushort Pad1;
    internal uint Pad2;
    internal ulong Unused1;
    internal ulong Unused2;

    internal static GuestIpcPermissions Of(IpcObject item) => new()
    {
        Key = item.Key,
        Uid = item.Uid,
        Gid = item.Gid,
        CreatorUid = item.CreatorUid,
        CreatorGid = item.CreatorGid,
        Mode = item.Mode,
        Sequence = (ushort)((item.Id >> 15) & 0xffff),
    };
}

/// <summary>struct shmid64_ds.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(112)]
internal struct GuestSegmentStatus
{
    internal GuestIpcPermissions Permissions;
    internal ulong Length;
    internal long AttachSeconds;
    internal long DetachSeconds;
    internal long ChangeSeconds;
    internal int CreatorPid;
    internal int LastPid;
    internal ulong Attachments;
    internal ulong Unused1;
    internal ulong Unused2;
}

/// <summary>struct semid64_ds of x86_64.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(104)]
internal struct GuestSemaphoreStatus
{
    internal GuestIpcPermissions Permissions;
    internal long OperationSeconds;
    internal ulong Unused1;
    internal long ChangeSeconds;
    internal ulong Unused2;
    internal ulong Length;
    internal ulong Unused3;
    internal ulong Unused4;
}

/// <summary>struct msqid64_ds.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(120)]
internal struct GuestQueueStatus
{
    internal GuestIpcPermissions Permissions;
    internal long SendSeconds;
    internal long ReceiveSeconds;
    internal long ChangeSeconds;
    internal ulong UsedBytes;
    internal ulong Count;
    internal ulong CapacityBytes;
    internal int LastSender;
    internal int LastReceiver;
    internal ulong Unused1;
    internal ulong Unused2;
}

/// <summary>struct shminfo64.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(72)]
internal struct GuestSegmentLimits
{
    internal ulong MaximumBytes;
    internal ulong MinimumBytes;
    internal ulong MaximumSegments;
    internal ulong MaximumPerProcess;
    internal ulong MaximumPages;
    internal ulong Unused1;
    internal ulong Unused2;
    internal ulong Unused3;
    internal ulong Unused4;
}

/// <summary>struct shm_info.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(48)]
internal struct GuestSegmentUse
{
    internal int Count;
    internal int Pad;
    internal ulong TotalPages;
    internal ulong ResidentPages;
    internal ulong SwappedPages;
    internal ulong SwapAttempts;
    internal ulong SwapSuccesses;
}

/// <summary>struct seminfo.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(40)]
internal struct GuestSemaphoreLimits
{
    internal int Map;
    internal int MaximumSets;
    internal int MaximumSemaphores;
    internal int MaximumUndo;
    internal int MaximumPerSet;
    internal int MaximumOperations;
    internal int UndoEntries;
    internal int UndoBytes;
    internal int MaximumValue;
    internal int MaximumAdjustment;
}

/// <summary>struct msginfo.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
internal struct GuestQueueLimits
{
    internal int Pool;
    internal int Map;
    internal int MaximumMessageBytes;
    internal int CapacityBytes;
    internal int MaximumQueues;
    internal int SegmentBytes;
    internal int Headers;
    internal ushort Segments;
    internal ushort Pad;
}

/// <summary>struct mq_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(64)]
internal struct GuestQueueAttributes
{
    internal long Flags;
    internal long MaximumMessages;
    internal long MaximumBytes;
    internal long Count;
    internal long Reserved1;
    internal long Reserved2;
    internal long Reserved3;
    internal long Reserved4;
}

/// <summary>The commands of *ctl that all kinds share; IPC_64 is dropped before.</summary>
internal static class IpcCommand
{
    internal const int Version64 = 0x100;
    internal const int Remove = 0, Set = 1, Status = 2, Info = 3;
}
