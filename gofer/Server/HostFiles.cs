// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>The host calls that look up, reopen and describe files, by descriptor only.</summary>
/// <param name="procFd">A descriptor of this process's /proc/self/fd, by which an O_PATH descriptor's own file is opened: no name, no race.</param>
public sealed class HostFiles(int procFd)
{
    // An openat2 that meets a rename or a mount asks to be tried again; more often than this is not chance.
    private const int MaxTries = 16;

    /// <summary>Opens one name in a directory as O_PATH; a symbolic link is opened itself.</summary>
    /// <param name="directoryFd">The directory.</param>
    /// <param name="name">A name that <see cref="HostName.Copy"/> made.</param>
    internal static HostResult Lookup(int directoryFd, ReadOnlySpan<byte> name) =>
        OpenChild(directoryFd, name, Linux.O_PATH | Linux.O_NOFOLLOW, 0);

    /// <summary>Opens or makes one name in a directory, never through a symbolic link and never out of the directory.</summary>
    internal static HostResult OpenChild(int directoryFd, ReadOnlySpan<byte> name, int flags, uint mode)
    {
        OpenHow how = new()
        {
            Flags = (ulong)(uint)(flags | Linux.O_CLOEXEC),
            Mode = mode,
            Resolve = Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_SYMLINKS | Linux.RESOLVE_NO_MAGICLINKS,
        };
        HostResult result = default;
        for (int i = 0; i < MaxTries; i++)
        {
            result = HostCalls.Openat2(directoryFd, name, ref how);
            if (result.Error is not (HostErrno.EAGAIN or HostErrno.EINTR))
            {
                break;
            }
        }

        return result;
    }

    /// <summary>Opens the very file of a descriptor again, with other flags.</summary>
    internal HostResult Reopen(int fd, int flags)
    {
        Span<byte> number = stackalloc byte[HostName.NumberRoom];
        HostName.CopyNumber(fd, number);
        HostResult result;
        do
        {
            result = HostCalls.Openat(procFd, number, flags | Linux.O_CLOEXEC | Linux.O_NOCTTY, 0);
        }
        while (result.Error == HostErrno.EINTR);

        return result;
    }

    /// <summary>Sets the mode of a descriptor's file, O_PATH or not.</summary>
    internal HostResult ChangeMode(int fd, uint mode)
    {
        Span<byte> number = stackalloc byte[HostName.NumberRoom];
        HostName.CopyNumber(fd, number);
        return HostCalls.Fchmodat(procFd, number, mode);
    }

    /// <summary>Sets the times of a descriptor's file, O_PATH or not.</summary>
    internal HostResult ChangeTimes(int fd, ref HostTimespecPair times)
    {
        Span<byte> number = stackalloc byte[HostName.NumberRoom];
        HostName.CopyNumber(fd, number);
        return HostCalls.Utimensat(procFd, number, ref times, 0);
    }

    /// <summary>Gives a descriptor's file another name.</summary>
    internal HostResult Link(int fd, int directoryFd, ReadOnlySpan<byte> name)
    {
        // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH.
        Span<byte> number = stackalloc byte[HostName.NumberRoom];
        HostName.CopyNumber(fd, number);
        return HostCalls.Linkat(procFd, number, directoryFd, name, Linux.AT_SYMLINK_FOLLOW);
    }

    /// <summary>Sets the owner of a descriptor's file, O_PATH or not.</summary>
    internal static HostResult ChangeOwner(int fd, uint uid, uint gid) => HostCalls.Fchownat(fd, "\0"u8, uid, gid, Linux.AT_EMPTY_PATH);

    /// <summary>Reads the attributes of a descriptor's file.</summary>
    internal static HostErrno Stat(int fd, out Attr attr)
    {
        HostStatx stat = default;
        HostResult result = HostCalls.Statx(fd, "\0"u8, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS | Linux.STATX_BTIME, ref stat);
        attr = result.IsError ? default : ToAttr(in stat);
        return result.Error;
    }

    /// <summary>A standard qid of a file.</summary>
    internal static Qid ToQid(in Attr attr) => new()
    {
        Type = (attr.Mode & Linux.S_IFMT) switch { Linux.S_IFDIR => 0x80, Linux.S_IFLNK => 0x02, _ => 0 },
        Version = unchecked((uint)(attr.MtimeS * 1000) + (attr.MtimeNs >> 6)), // a hash
        Path = attr.Ino,
    };

    private static Attr ToAttr(in HostStatx stat) => new()
    {
        Ino = stat.Ino,
        Mode = stat.Mode,
        Nlink = stat.Nlink,
        Uid = stat.Uid,
        Gid = stat.Gid,
        RdevMajor = stat.RdevMajor,
        RdevMinor = stat.RdevMinor,
        DevMajor = stat.DevMajor,
        DevMinor = stat.DevMinor,
        Size = stat.Size,
        Blocks = stat.Blocks,
        BlockSize = stat.BlockSize,
        AtimeS = stat.Atime.Seconds,
        AtimeNs = stat.Atime.Nanoseconds,
        MtimeS = stat.Mtime.Seconds,
        MtimeNs = stat.Mtime.Nanoseconds,
        CtimeS = stat.Ctime.Seconds,
        CtimeNs = stat.Ctime.Nanoseconds,
        BtimeS = (stat.Mask & Linux.STATX_BTIME) != 0 ? stat.Btime.Seconds : 0,
        BtimeNs = (stat.Mask & Linux.STATX_BTIME) != 0 ? stat.Btime.Nanoseconds : 0,
    };
}
