// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>truncate, ftruncate, fallocate, fadvise64, readahead.</content>
public static partial class Handlers
{
    /// <summary>truncate(2)</summary>
    public static partial Blocking<SyscallResult> Truncate(Task task, UserPtr path, long length)
    {
        if (length < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place);
        if (error == Errno.None)
        {
            error = FileTransfer.CheckSizeLimit(task, place.Dentry!.Inode, length);
            error = error != Errno.None ? error : VirtualFileSystem.Truncate(task.Operation, place, (ulong)length);
            place.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>ftruncate(2)</summary>
    public static partial Blocking<SyscallResult> Ftruncate(Task task, int fd, long length)
    {
        if (length < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error == Errno.None)
        {
            error = file.IsWritable ? FileTransfer.CheckSizeLimit(task, file.Inode, length) : Errno.EINVAL;
            error = error != Errno.None ? error : VirtualFileSystem.Truncate(task.Operation, file, (ulong)length);
            file.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>fallocate(2)</summary>
    public static partial Blocking<SyscallResult> Fallocate(Task task, int fd, int mode, long offset, long len)
    {
        const int KeepSize = 1, KnownModes = 0x7f;
        if (offset < 0 || len <= 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        FileType type = file.Inode?.Type ?? FileType.Fifo;
        if ((mode & ~KnownModes) != 0)
        {
            error = Errno.EOPNOTSUPP;
        }
        else if (!file.IsWritable)
        {
            error = Errno.EBADF;
        }
        else if (type != FileType.Regular)
        {
            error = type == FileType.Fifo ? Errno.ESPIPE : type == FileType.Directory ? Errno.EISDIR : Errno.ENODEV;
        }
        else if (len > long.MaxValue - 4096 - Math.Min(offset, long.MaxValue - 4096))
        {
            error = Errno.EFBIG;
        }
        else
        {
            error = (mode & KeepSize) == 0 ? FileTransfer.CheckSizeLimit(task, file.Inode, offset + len) : Errno.None;
            error = error != Errno.None ? error : file.Allocate(task, mode, offset, len);
            if (error == Errno.None)
            {
                FileEvents.OnModified(file);
            }
        }

        file.Unreference();
        return (SyscallResult)error;
    }

    /// <summary>fadvise64(2): advice that changes nothing here, since the host's page cache decides.</summary>
    public static partial SyscallResult Fadvise64(Task task, int fd, long offset, ulong len, int advice)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        bool isPipe = file.Inode?.Type == FileType.Fifo;
        file.Unreference();
        return isPipe ? Errno.ESPIPE : advice is < 0 or > 5 || len > long.MaxValue ? Errno.EINVAL : Errno.None;
    }

    /// <summary>readahead(2): checked, and then left to the host's page cache.</summary>
    public static partial SyscallResult Readahead(Task task, int fd, long offset, ulong count)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        error = !file.IsReadable ? Errno.EBADF : file.Inode?.Type is not (FileType.Regular or FileType.BlockDevice) ? Errno.EINVAL : Errno.None;
        file.Unreference();
        return error;
    }
}
