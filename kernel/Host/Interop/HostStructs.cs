// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>struct iovec: a range of this process's memory.</summary>
/// <param name="Address">The first byte.</param>
/// <param name="Length">The length in bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct HostIoVec(nuint Address, nuint Length);

/// <summary>Two descriptors, as pipe2(2) and socketpair(2) store them.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
public struct FdPair
{
    /// <summary>The first descriptor (a pipe's read end).</summary>
    public int First;

    /// <summary>The second descriptor (a pipe's write end).</summary>
    public int Second;
}

/// <summary>struct open_how of openat2(2).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(24)]
public struct OpenHow
{
    /// <summary>O_* flags.</summary>
    public ulong Flags;

    /// <summary>The mode of a file that is made.</summary>
    public ulong Mode;

    /// <summary>RESOLVE_* flags.</summary>
    public ulong Resolve;
}

/// <summary>struct timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public struct HostTimespec
{
    /// <summary>Whole seconds.</summary>
    public long Seconds;

    /// <summary>Nanoseconds, 0..999,999,999.</summary>
    public long Nanoseconds;

    /// <summary>The time as nanoseconds.</summary>
    public readonly long TotalNs => checked((Seconds * 1_000_000_000) + Nanoseconds);

    /// <summary>A time of so many nanoseconds.</summary>
    public static HostTimespec FromNs(long ns) => new() { Seconds = ns / 1_000_000_000, Nanoseconds = ns % 1_000_000_000 };
}

/// <summary>Access and modification times of utimensat(2).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct HostTimespecPair
{
    /// <summary>The access time.</summary>
    public HostTimespec Access;

    /// <summary>The modification time.</summary>
    public HostTimespec Modify;
}

/// <summary>struct itimerspec.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct HostItimerspec
{
    /// <summary>The period; zero for a single shot.</summary>
    public HostTimespec Interval;

    /// <summary>The first expiry; zero disarms.</summary>
    public HostTimespec Value;
}

/// <summary>struct stat (x86_64).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(144)]
public struct HostStat
{
    public ulong Dev;
    public ulong Ino;
    public ulong Nlink;
    public uint Mode;
    public uint Uid;
    public uint Gid;
    public uint Pad0;
    public ulong Rdev;
    public long Size;
    public long BlockSize;
    public long Blocks;
    public HostTimespec Atime;
    public HostTimespec Mtime;
    public HostTimespec Ctime;
    public long Unused0;
    public long Unused1;
    public long Unused2;
}

/// <summary>struct statx_timestamp.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public struct HostStatxTimestamp
{
    public long Seconds;
    public uint Nanoseconds;
    public int Reserved;
}

/// <summary>struct statx.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
[AbiStruct(256)]
public struct HostStatx
{
    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint Nlink;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    public ushort Pad0;
    public ulong Ino;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public HostStatxTimestamp Atime;
    public HostStatxTimestamp Btime;
    public HostStatxTimestamp Ctime;
    public HostStatxTimestamp Mtime;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;
    public ulong MountId;
}

/// <summary>struct statfs (x86_64).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(120)]
public struct HostStatfs
{
    public long Type;
    public long BlockSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public ulong FsId;
    public long NameLength;
    public long FragmentSize;
    public long Flags;
    public long Spare0;
    public long Spare1;
    public long Spare2;
    public long Spare3;
}

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(56)]
public struct HostMsghdr
{
    public nuint Name;
    public uint NameLength;
    private readonly uint _pad0;
    public nuint Iov;
    public nuint IovLength;
    public nuint Control;
    public nuint ControlLength;
    public int Flags;
    private readonly int _pad1;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
public struct HostPollFd
{
    public int Fd;
    public short Events;
    public short ReturnedEvents;
}

/// <summary>struct epoll_event (packed on x86_64).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
[AbiStruct(12)]
public struct HostEpollEvent
{
    public uint Events;
    public ulong Data;
}

/// <summary>struct rlimit.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public struct HostRlimit
{
    public ulong Current;
    public ulong Maximum;
}

/// <summary>struct __user_cap_header_struct.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
public struct HostCapHeader
{
    public uint Version;
    public int Pid;
}

/// <summary>Two struct __user_cap_data_struct: the low and the high 32 capabilities.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(24)]
public struct HostCapData
{
    public uint EffectiveLow;
    public uint PermittedLow;
    public uint InheritableLow;
    public uint EffectiveHigh;
    public uint PermittedHigh;
    public uint InheritableHigh;
}

/// <summary>struct sysinfo (x86_64).</summary>
[StructLayout(LayoutKind.Sequential, Size = 112)]
[AbiStruct(112)]
public struct HostSysinfo
{
    public long Uptime;
    public ulong Load1;
    public ulong Load5;
    public ulong Load15;
    public ulong TotalRam;
    public ulong FreeRam;
    public ulong SharedRam;
    public ulong BufferRam;
    public ulong TotalSwap;
    public ulong FreeSwap;
    public ushort Processes;
    public ulong TotalHigh;
    public ulong FreeHigh;
    public uint Unit;
}

/// <summary>struct new_utsname: six fields of 65 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 390)]
[AbiStruct(390)]
public struct HostUtsname;
