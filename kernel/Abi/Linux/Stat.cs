// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Abi.Linux;

/// <summary>struct stat (x86_64).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(144)]
public struct Stat
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
    public Timespec AccessTime;
    public Timespec ModifyTime;
    public Timespec ChangeTime;
    public long Unused0;
    public long Unused1;
    public long Unused2;
}

/// <summary>struct timespec.</summary>
/// <param name="Seconds">Whole seconds.</param>
/// <param name="Nanoseconds">0..999,999,999.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public record struct Timespec(long Seconds, long Nanoseconds)
{
    /// <summary>A time of so many nanoseconds since the epoch, which may be before it.</summary>
    public static Timespec FromNs(long ns)
    {
        (long seconds, long rest) = Math.DivRem(ns, 1_000_000_000);
        return rest < 0 ? new Timespec(seconds - 1, rest + 1_000_000_000) : new Timespec(seconds, rest);
    }
}

/// <summary>struct statx_timestamp.</summary>
/// <param name="Seconds">Whole seconds.</param>
/// <param name="Nanoseconds">0..999,999,999.</param>
/// <param name="Reserved">Zero.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public record struct StatxTimestamp(long Seconds, uint Nanoseconds, int Reserved = 0)
{
    /// <summary>A time of so many nanoseconds since the epoch.</summary>
    public static StatxTimestamp FromNs(long ns)
    {
        Timespec time = Timespec.FromNs(ns);
        return new StatxTimestamp(time.Seconds, (uint)time.Nanoseconds);
    }
}

/// <summary>struct statx.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
[AbiStruct(256)]
public struct Statx
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
    public StatxTimestamp AccessTime;
    public StatxTimestamp BirthTime;
    public StatxTimestamp ChangeTime;
    public StatxTimestamp ModifyTime;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;
    public ulong MountId;
}

/// <summary>struct statfs (x86_64).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(120)]
public struct Statfs
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
