// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>chmod, fchmod, fchmodat, fchmodat2, chown, fchown, lchown, fchownat, umask.</content>
public static partial class Handlers
{
    /// <summary>chmod(2)</summary>
    public static partial Blocking<SyscallResult> Chmod(Task task, UserPtr path, uint mode) => Fchmodat2(task, AtFlags.FdCwd, path, mode, 0);

    /// <summary>fchmodat(2)</summary>
    public static partial Blocking<SyscallResult> Fchmodat(Task task, int dirfd, UserPtr path, uint mode) => Fchmodat2(task, dirfd, path, mode, 0);

    /// <summary>fchmodat2(2)</summary>
    public static partial Blocking<SyscallResult> Fchmodat2(Task task, int dirfd, UserPtr path, uint mode, int flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Paths.Resolve(task, dirfd, path, Paths.FlagsOf(flags), out VfsPath place);
        if (error == Errno.None)
        {
            error = place.Dentry!.Inode?.Type == FileType.Symlink ? Errno.EOPNOTSUPP : VirtualFileSystem.SetMode(task.Operation, place, mode);
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>fchmod(2)</summary>
    public static partial Blocking<SyscallResult> Fchmod(Task task, int fd, uint mode)
    {
        Errno error = PlaceOf(task, fd, out VfsPath place);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.SetMode(task.Operation, place, mode);
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>chown(2)</summary>
    public static partial Blocking<SyscallResult> Chown(Task task, UserPtr path, uint owner, uint group) => Fchownat(task, AtFlags.FdCwd, path, owner, group, 0);

    /// <summary>lchown(2)</summary>
    public static partial Blocking<SyscallResult> Lchown(Task task, UserPtr path, uint owner, uint group) =>
        Fchownat(task, AtFlags.FdCwd, path, owner, group, AtFlags.SymlinkNoFollow);

    /// <summary>fchownat(2)</summary>
    public static partial Blocking<SyscallResult> Fchownat(Task task, int dirfd, UserPtr path, uint owner, uint group, int flags)
    {
        if ((flags & ~(AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Paths.Resolve(task, dirfd, path, Paths.FlagsOf(flags), out VfsPath place);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.SetOwner(task.Operation, place, owner, group);
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>fchown(2)</summary>
    public static partial Blocking<SyscallResult> Fchown(Task task, int fd, uint owner, uint group)
    {
        Errno error = PlaceOf(task, fd, out VfsPath place);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.SetOwner(task.Operation, place, owner, group);
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>umask(2)</summary>
    public static partial SyscallResult Umask(Task task, uint mask) => task.Fs.ExchangeUmask(mask);

    /// <summary>The place of an open file; O_PATH does not count as open.</summary>
    private static Errno PlaceOf(Task task, int fd, out VfsPath place)
    {
        place = default;
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error == Errno.None)
        {
            place = file.GetPlace();
            file.Unreference();
            error = place.IsValid ? Errno.None : Errno.EBADF;
        }

        return error;
    }
}
