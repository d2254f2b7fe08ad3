// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>statfs, fstatfs.</content>
public static partial class Handlers
{
    /// <summary>statfs(2)</summary>
    public static partial Blocking<SyscallResult> Statfs(Task task, UserPtr path, UserPtr buf)
    {
        Errno error = Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place);
        return (SyscallResult)(error != Errno.None ? error : StoreStatistics(task, place, buf));
    }

    /// <summary>fstatfs(2)</summary>
    public static partial Blocking<SyscallResult> Fstatfs(Task task, int fd, UserPtr buf)
    {
        Errno error = Paths.OfDescriptor(task, fd, out VfsPath place);
        return (SyscallResult)(error != Errno.None ? error : StoreStatistics(task, place, buf));
    }

    private static Errno StoreStatistics(Task task, VfsPath place, UserPtr buffer)
    {
        FileSystem fileSystem = place.Dentry!.FileSystem;
        MountFlags mount = place.Mount?.Flags ?? MountFlags.None;
        bool isReadOnly = place.Mount?.IsReadOnly ?? false;
        place.Unreference();
        Errno error = fileSystem.GetStatistics(out FileSystemStatistics statistics);
        if (error != Errno.None)
        {
            return error;
        }

        const long Valid = 0x20, ReadOnly = 1, NoSetId = 2, NoDevices = 4, NoExecute = 8, NoAccessTime = 0x400, NoDirectoryAccessTime = 0x800, RelativeAccessTime = 0x1000;
        long flags = Valid | (isReadOnly ? ReadOnly : 0);
        flags |= (mount & MountFlags.NoSetId) != 0 ? NoSetId : 0;
        flags |= (mount & MountFlags.NoDevices) != 0 ? NoDevices : 0;
        flags |= (mount & MountFlags.NoExecute) != 0 ? NoExecute : 0;
        flags |= (mount & MountFlags.NoAccessTime) != 0 ? NoAccessTime : 0;
        flags |= (mount & MountFlags.NoDirectoryAccessTime) != 0 ? NoDirectoryAccessTime : 0;
        flags |= (mount & MountFlags.RelativeAccessTime) != 0 ? RelativeAccessTime : 0;
        Statfs told = new()
        {
            Type = unchecked((long)statistics.Type),
            BlockSize = (long)Math.Min(statistics.BlockSize, long.MaxValue),
            Blocks = statistics.Blocks,
            BlocksFree = statistics.BlocksFree,
            BlocksAvailable = statistics.BlocksAvailable,
            Files = statistics.Files,
            FilesFree = statistics.FilesFree,
            FsId = fileSystem.Device,
            NameLength = (long)Math.Min(statistics.NameLength, long.MaxValue),
            FragmentSize = (long)Math.Min(statistics.BlockSize, long.MaxValue),
            Flags = flags,
        };
        return task.Memory.CopyOut(buffer, told);
    }
}
