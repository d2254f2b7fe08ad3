// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>stat, lstat, fstat, newfstatat, statx.</content>
public static partial class Handlers
{
    private const uint StatxBasic = 0x7ff, StatxBirth = 0x800, StatxMountId = 0x1000, StatxReserved = 0x80000000;

    /// <summary>stat(2)</summary>
    public static partial Blocking<SyscallResult> Stat(Task task, UserPtr path, UserPtr statbuf) =>
        (SyscallResult)StatAt(task, AtFlags.FdCwd, path, statbuf, WalkFlags.FollowLast);

    /// <summary>lstat(2)</summary>
    public static partial Blocking<SyscallResult> Lstat(Task task, UserPtr path, UserPtr statbuf) =>
        (SyscallResult)StatAt(task, AtFlags.FdCwd, path, statbuf, WalkFlags.None);

    /// <summary>newfstatat(2)</summary>
    public static partial Blocking<SyscallResult> Newfstatat(Task task, int dirfd, UserPtr path, UserPtr statbuf, int flags) =>
        (SyscallResult)((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.NoAutomount | AtFlags.EmptyPath)) != 0 ? Errno.EINVAL : StatAt(task, dirfd, path, statbuf, Paths.FlagsOf(flags)));

    /// <summary>fstat(2)</summary>
    public static partial Blocking<SyscallResult> Fstat(Task task, int fd, UserPtr statbuf)
    {
        Errno error = AttributesOf(task, fd, out Attributes attributes);
        return (SyscallResult)(error != Errno.None ? error : task.Memory.CopyOut(statbuf, ToStat(attributes)));
    }

    /// <summary>statx(2)</summary>
    public static partial Blocking<SyscallResult> Statx(Task task, int dirfd, UserPtr path, int flags, uint mask, UserPtr statxbuf)
    {
        const int Known = AtFlags.SymlinkNoFollow | AtFlags.NoAutomount | AtFlags.EmptyPath | AtFlags.StatxSyncType;
        if ((flags & ~Known) != 0 || (flags & AtFlags.StatxSyncType) == AtFlags.StatxSyncType || (mask & StatxReserved) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = ResolveForStat(task, dirfd, path, Paths.FlagsOf(flags), out VfsPath place);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.GetAttributes(place, out Attributes attributes);
            bool isMountRoot = place.Mount is { } mount && place.Dentry == mount.Root;
            error = error != Errno.None ? error : task.Memory.CopyOut(statxbuf, ToStatx(attributes, place.Mount?.Id ?? 0, isMountRoot));
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>The attributes of an open file, O_PATH included.</summary>
    private static Errno AttributesOf(Task task, int fd, out Attributes attributes)
    {
        attributes = default;
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return Errno.EBADF;
        }

        Errno error = file.Inode is { } inode ? inode.GetAttributes(out attributes) : Errno.EBADF;
        file.Unreference();
        return error;
    }

    private static Errno StatAt(Task task, int dirfd, UserPtr path, UserPtr statbuf, WalkFlags flags)
    {
        Errno error = ResolveForStat(task, dirfd, path, flags, out VfsPath place);
        if (error != Errno.None)
        {
            return error;
        }

        error = VirtualFileSystem.GetAttributes(place, out Attributes attributes);
        place.Unreference();
        return error != Errno.None ? error : task.Memory.CopyOut(statbuf, ToStat(attributes));
    }

    /// <summary>Like <see cref="Paths.Resolve"/>; with AT_EMPTY_PATH a null path is an empty one (Linux 6.11).</summary>
    private static Errno ResolveForStat(Task task, int dirfd, UserPtr path, WalkFlags flags, out VfsPath place) =>
        path.IsNull && (flags & WalkFlags.AllowEmpty) != 0 && dirfd >= 0 ? Paths.OfDescriptor(task, dirfd, out place) : Paths.Resolve(task, dirfd, path, flags, out place);

    private static Stat ToStat(in Attributes attributes) => new()
    {
        Dev = attributes.Device,
        Ino = attributes.Inode,
        Nlink = attributes.LinkCount,
        Mode = attributes.Mode,
        Uid = attributes.Uid,
        Gid = attributes.Gid,
        Rdev = attributes.RawDevice,
        Size = (long)Math.Min(attributes.SizeBytes, long.MaxValue),
        BlockSize = attributes.BlockSize,
        Blocks = (long)Math.Min(attributes.Blocks, long.MaxValue),
        AccessTime = Timespec.FromNs(attributes.AccessTimeNs),
        ModifyTime = Timespec.FromNs(attributes.ModifyTimeNs),
        ChangeTime = Timespec.FromNs(attributes.ChangeTimeNs),
    };

    private static Statx ToStatx(in Attributes attributes, int mountId, bool isMountRoot)
    {
        const ulong MountRoot = 0x2000;
        return new Statx
        {
            Mask = StatxBasic | StatxMountId | (attributes.BirthTimeNs != 0 ? StatxBirth : 0),
            BlockSize = attributes.BlockSize,
            Attributes = isMountRoot ? MountRoot : 0,
            AttributesMask = MountRoot,
            Nlink = attributes.LinkCount,
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            Mode = (ushort)(attributes.Mode & 0xffff),
            Ino = attributes.Inode,
            Size = attributes.SizeBytes,
            Blocks = attributes.Blocks,
            AccessTime = StatxTimestamp.FromNs(attributes.AccessTimeNs),
            BirthTime = attributes.BirthTimeNs != 0 ? StatxTimestamp.FromNs(attributes.BirthTimeNs) : default,
            ChangeTime = StatxTimestamp.FromNs(attributes.ChangeTimeNs),
            ModifyTime = StatxTimestamp.FromNs(attributes.ModifyTimeNs),
            RdevMajor = DeviceNumber.Major(attributes.RawDevice),
            RdevMinor = DeviceNumber.Minor(attributes.RawDevice),
            DevMajor = DeviceNumber.Major(attributes.Device),
            DevMinor = DeviceNumber.Minor(attributes.Device),
            MountId = (ulong)mountId,
        };
    }
}
