// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Vfs;

/// <summary>What stat(2) tells of a file. Times are nanoseconds since the epoch.</summary>
public struct Attributes
{
    /// <summary>Type and permissions.</summary>
    public uint Mode;

    /// <summary>Owner.</summary>
    public uint Uid;

    /// <summary>Group.</summary>
    public uint Gid;

    /// <summary>Hard links.</summary>
    public uint LinkCount;

    /// <summary>Inode number.</summary>
    public ulong Inode;

    /// <summary>The file system's device number, as <see cref="DeviceNumber"/> encodes it.</summary>
    public ulong Device;

    /// <summary>A device node's own number.</summary>
    public ulong RawDevice;

    /// <summary>Length in bytes.</summary>
    public ulong SizeBytes;

    /// <summary>Space taken, in 512-byte units.</summary>
    public ulong Blocks;

    /// <summary>Preferred transfer size in bytes.</summary>
    public uint BlockSize;

    /// <summary>Last access.</summary>
    public long AccessTimeNs;

    /// <summary>Last change of the contents.</summary>
    public long ModifyTimeNs;

    /// <summary>Last change of the attributes.</summary>
    public long ChangeTimeNs;

    /// <summary>Birth; 0 when unknown.</summary>
    public long BirthTimeNs;

    /// <summary>The type.</summary>
    public readonly FileType Type => ModeBits.TypeOf(Mode);

    /// <summary>Takes a change of mode, owner and times in, and notes it as a change of the file. A new size counts as a change of the contents; the contents are the caller's.</summary>
    /// <param name="change">What is set.</param>
    /// <param name="nowNs">The present, in nanoseconds since the epoch.</param>
    public void Apply(in AttributeChange change, long nowNs)
    {
        AttributeMask mask = change.Mask;
        if ((mask & AttributeMask.Mode) != 0)
        {
            Mode = (Mode & ModeBits.TypeMask) | (change.Mode & ModeBits.PermissionMask);
        }

        Uid = (mask & AttributeMask.Uid) != 0 ? change.Uid : Uid;
        Gid = (mask & AttributeMask.Gid) != 0 ? change.Gid : Gid;
        if ((mask & (AttributeMask.AccessTime | AttributeMask.AccessTimeNow)) != 0)
        {
            AccessTimeNs = (mask & AttributeMask.AccessTimeNow) != 0 ? nowNs : change.AccessTimeNs;
        }

        if ((mask & (AttributeMask.ModifyTime | AttributeMask.ModifyTimeNow)) != 0)
        {
            ModifyTimeNs = (mask & AttributeMask.ModifyTimeNow) != 0 ? nowNs : change.ModifyTimeNs;
        }

        ModifyTimeNs = (mask & AttributeMask.Size) != 0 && (mask & AttributeMask.ModifyTime) == 0 ? nowNs : ModifyTimeNs;
        ChangeTimeNs = nowNs;
    }
}

/// <summary>Which attributes a change sets.</summary>
[Flags]
public enum AttributeMask
{
    None = 0,
    Mode = 1,
    Uid = 2,
    Gid = 4,
    Size = 8,
    AccessTime = 16,
    ModifyTime = 32,

    /// <summary>Access time is now, rather than the value given.</summary>
    AccessTimeNow = 64,

    /// <summary>Modification time is now, rather than the value given.</summary>
    ModifyTimeNow = 128,
}

/// <summary>A change of attributes (chmod, chown, truncate, utimensat); permissions have been checked.</summary>
public struct AttributeChange
{
    /// <summary>What is set.</summary>
    public AttributeMask Mask;

    /// <summary>Permission bits.</summary>
    public uint Mode;

    /// <summary>Owner.</summary>
    public uint Uid;

    /// <summary>Group.</summary>
    public uint Gid;

    /// <summary>Length in bytes.</summary>
    public ulong SizeBytes;

    /// <summary>Access time.</summary>
    public long AccessTimeNs;

    /// <summary>Modification time.</summary>
    public long ModifyTimeNs;
}

/// <summary>What statfs(2) tells of a file system.</summary>
public struct FileSystemStatistics
{
    /// <summary>The magic number (linux/magic.h).</summary>
    public ulong Type;

    /// <summary>Block size in bytes.</summary>
    public ulong BlockSize;

    /// <summary>Blocks.</summary>
    public ulong Blocks;

    /// <summary>Free blocks.</summary>
    public ulong BlocksFree;

    /// <summary>Blocks free to users.</summary>
    public ulong BlocksAvailable;

    /// <summary>Inodes.</summary>
    public ulong Files;

    /// <summary>Free inodes.</summary>
    public ulong FilesFree;

    /// <summary>Longest name in bytes.</summary>
    public ulong NameLength;
}

/// <summary>Device numbers in the kernel's 64-bit form (major in 8..19 and 32.., as userspace's dev_t).</summary>
public static class DeviceNumber
{
    /// <summary>The dev_t of a major and a minor.</summary>
    public static ulong Make(uint major, uint minor) =>
        ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);

    /// <summary>The major of a dev_t.</summary>
    public static uint Major(ulong device) => unchecked((uint)(((device >> 32) & 0xfffff000) | ((device >> 8) & 0xfff)));

    /// <summary>The minor of a dev_t.</summary>
    public static uint Minor(ulong device) => unchecked((uint)(((device >> 12) & 0xffffff00) | (device & 0xff)));
}
