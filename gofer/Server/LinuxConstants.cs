// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Server;

/// <summary>The host's open flags, file types and the like, spelled as its headers do.</summary>
internal static class Linux
{
    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3;
    public const int O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100, O_TRUNC = 0x200, O_APPEND = 0x400, O_NONBLOCK = 0x800;
    public const int O_DSYNC = 0x1000, O_DIRECT = 0x4000, O_LARGEFILE = 0x8000, O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000, O_NOATIME = 0x40000, O_CLOEXEC = 0x80000;
    public const int O_SYNC = 0x101000, O_PATH = 0x200000;

    public const ulong RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8;

    public const uint S_IFMT = 0xF000, S_IFIFO = 0x1000, S_IFCHR = 0x2000, S_IFDIR = 0x4000, S_IFBLK = 0x6000, S_IFREG = 0x8000, S_IFLNK = 0xA000, S_IFSOCK = 0xC000;
    public const uint PermissionBits = 0xFFF;

    public const int AT_SYMLINK_FOLLOW = 0x400, AT_EMPTY_PATH = 0x1000, AT_REMOVEDIR = 0x200;
    public const uint STATX_BASIC_STATS = 0x7FF, STATX_BTIME = 0x800;
    public const int F_DUPFD_CLOEXEC = 1030, F_OFD_GETLK = 36, F_OFD_SETLK = 37;
    public const int SEEK_SET = 0;
    public const long UTIME_NOW = 0x3FFFFFFF, UTIME_OMIT = 0x3FFFFFFE;
    public const uint RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2;
    public const int XATTR_CREATE = 1, XATTR_REPLACE = 2;
    public const int AF_UNIX = 1, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000;
}
