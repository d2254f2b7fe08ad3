// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Abi.Linux;

/// <summary>Flags of the *at calls (linux/fcntl.h).</summary>
public static class AtFlags
{
    /// <summary>AT_FDCWD: relative to the working directory.</summary>
    public const int FdCwd = -100;

    /// <summary>AT_SYMLINK_NOFOLLOW.</summary>
    public const int SymlinkNoFollow = 0x100;

    /// <summary>AT_REMOVEDIR; AT_EACCESS has the same number.</summary>
    public const int RemoveDirectory = 0x200;

    /// <summary>AT_EACCESS.</summary>
    public const int EffectiveAccess = 0x200;

    /// <summary>AT_SYMLINK_FOLLOW.</summary>
    public const int SymlinkFollow = 0x400;

    /// <summary>AT_NO_AUTOMOUNT.</summary>
    public const int NoAutomount = 0x800;

    /// <summary>AT_EMPTY_PATH.</summary>
    public const int EmptyPath = 0x1000;

    /// <summary>AT_STATX_SYNC_TYPE.</summary>
    public const int StatxSyncType = 0x6000;
}

/// <summary>struct flock.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct Flock
{
    public short Type;
    public short Whence;
    private readonly int _pad;
    public long Start;
    public long Length;
    public int Pid;
    private readonly int _pad2;
}

/// <summary>struct f_owner_ex.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
public struct OwnerEx
{
    public int Type;
    public int Pid;
}

/// <summary>struct open_how of openat2(2).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(24)]
public struct OpenHow
{
    public ulong Flags;
    public ulong Mode;
    public ulong Resolve;
}
