// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>name_to_handle_at, open_by_handle_at.</content>
public static partial class Handlers
{
    /// <summary>name_to_handle_at(2): no file system here gives handles, as an overlay without nfs_export.</summary>
    public static partial Blocking<SyscallResult> NameToHandleAt(Task task, int dirfd, UserPtr path, UserPtr handle, UserPtr mountId, int flags)
    {
        const int Follow = 0x400;
        if ((flags & ~(Follow | AtFlags.EmptyPath)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        WalkFlags walk = ((flags & Follow) != 0 ? WalkFlags.FollowLast : WalkFlags.None) | ((flags & AtFlags.EmptyPath) != 0 ? WalkFlags.AllowEmpty : WalkFlags.None);
        Errno error = Paths.Resolve(task, dirfd, path, walk, out VfsPath place);
        place.Unreference();
        return (SyscallResult)(error != Errno.None ? error : Errno.EOPNOTSUPP);
    }

    /// <summary>open_by_handle_at(2): what nobody was given cannot be valid.</summary>
    public static partial SyscallResult OpenByHandleAt(Task task, int mountFd, UserPtr handle, int flags)
    {
        const uint LongestHandle = 128;
        if (!task.Credentials.Has(Capability.DacReadSearch, UserNamespace.Initial))
        {
            return Errno.EPERM;
        }

        Errno error = task.Memory.CopyIn(handle, out uint bytes);
        if (error != Errno.None || bytes is 0 or > LongestHandle)
        {
            return error != Errno.None ? error : Errno.EINVAL;
        }

        if (mountFd != AtFlags.FdCwd)
        {
            if (task.Descriptors.Get(mountFd) is not { } file)
            {
                return Errno.EBADF;
            }

            file.Unreference();
        }

        return Errno.ESTALE;
    }
}
