// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>fsync, fdatasync, sync, syncfs, sync_file_range.</content>
public static partial class Handlers
{
    /// <summary>fsync(2)</summary>
    public static partial Blocking<SyscallResult> Fsync(Task task, int fd) => (SyscallResult)SyncFile(task, fd, dataOnly: false);

    /// <summary>fdatasync(2)</summary>
    public static partial Blocking<SyscallResult> Fdatasync(Task task, int fd) => (SyscallResult)SyncFile(task, fd, dataOnly: true);

    /// <summary>sync(2)</summary>
    public static partial Blocking<SyscallResult> Sync(Task task)
    {
        HashSet<FileSystem> done = [];
        foreach (MountReport report in task.Fs.Mounts.Report(task.Fs.Root))
        {
            if (done.Add(report.Mount.FileSystem))
            {
                _ = report.Mount.FileSystem.Sync(); // sync(2) has no way to tell.
            }
        }

        return SyscallResult.Success;
    }

    /// <summary>syncfs(2)</summary>
    public static partial Blocking<SyscallResult> Syncfs(Task task, int fd)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error == Errno.None)
        {
            error = file.Inode?.FileSystem.Sync() ?? Errno.None;
            file.Unreference();
        }

        return (SyscallResult)error;
    }

    /// <summary>sync_file_range(2): a whole-file fdatasync, which is more than was asked for.</summary>
    public static partial Blocking<SyscallResult> SyncFileRange(Task task, int fd, long offset, long nbytes, uint flags)
    {
        const uint Known = 7;
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if ((flags & ~Known) != 0 || offset < 0 || nbytes < 0 || nbytes > long.MaxValue - offset)
        {
            error = Errno.EINVAL;
        }
        else if (file.Inode?.Type is not (FileType.Regular or FileType.Directory or FileType.BlockDevice or FileType.Symlink))
        {
            error = Errno.ESPIPE;
        }
        else if (flags != 0)
        {
            error = file.Sync(dataOnly: true);
        }

        file.Unreference();
        return (SyscallResult)error;
    }

    private static Errno SyncFile(Task task, int fd, bool dataOnly)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error == Errno.None)
        {
            error = file.Sync(dataOnly);
            file.Unreference();
        }

        return error;
    }
}
