// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Vfs;

/// <summary>The type bits of st_mode (inode(7)).</summary>
public enum FileType : uint
{
    /// <summary>Named pipe.</summary>
    Fifo = 0x1000,

    /// <summary>Character device.</summary>
    CharacterDevice = 0x2000,

    /// <summary>Directory.</summary>
    Directory = 0x4000,

    /// <summary>Block device.</summary>
    BlockDevice = 0x6000,

    /// <summary>Regular file.</summary>
    Regular = 0x8000,

    /// <summary>Symbolic link.</summary>
    Symlink = 0xa000,

    /// <summary>Socket.</summary>
    Socket = 0xc000,
}

/// <summary>Masks of st_mode.</summary>
public static class ModeBits
{
    /// <summary>The type.</summary>
    public const uint TypeMask = 0xf000;

    /// <summary>Permissions, set-user-ID, set-group-ID and sticky.</summary>
    public const uint PermissionMask = 0xfff;

    /// <summary>Set-user-ID.</summary>
    public const uint SetUid = 0x800;

    /// <summary>Set-group-ID.</summary>
    public const uint SetGid = 0x400;

    /// <summary>Sticky.</summary>
    public const uint Sticky = 0x200;

    /// <summary>The type in a mode.</summary>
    public static FileType TypeOf(uint mode) => (FileType)(mode & TypeMask);
}

/// <summary>What an access asks for; the bits of access(2).</summary>
[Flags]
public enum AccessMode : uint
{
    /// <summary>Nothing but existence.</summary>
    None = 0,

    /// <summary>Execute, or search a directory.</summary>
    Execute = 1,

    /// <summary>Write.</summary>
    Write = 2,

    /// <summary>Read.</summary>
    Read = 4,
}

/// <summary>The flags of open(2) (x86_64 numbers) and of a file description.</summary>
[Flags]
public enum OpenFlags : uint
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    AccessModeMask = 3,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTty = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlock = 0x800,
    DSync = 0x1000,
    Async = 0x2000,
    Direct = 0x4000,
    LargeFile = 0x8000,
    Directory = 0x10000,
    NoFollow = 0x20000,
    NoAccessTime = 0x40000,
    CloseOnExec = 0x80000,
    Sync = 0x101000,
    Path = 0x200000,
    TempFile = 0x410000,

    /// <summary>Kernel-internal: opened to be executed (execve).</summary>
    ForExecution = 0x8000_0000,
}
