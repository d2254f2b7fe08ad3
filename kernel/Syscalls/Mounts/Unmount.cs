// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>umount2, pivot_root.</content>
public static partial class Handlers
{
    /// <summary>umount2(2)</summary>
    public static partial Blocking<SyscallResult> Umount2(Task task, UserPtr target, int flags)
    {
        const int Force = 1, Detach = 2, Expire = 4, NoFollow = 8;
        if ((flags & ~(Force | Detach | Expire | NoFollow)) != 0 || ((flags & Expire) != 0 && (flags & (Force | Detach)) != 0))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        WalkFlags walk = WalkFlags.CrossLast | ((flags & NoFollow) == 0 ? WalkFlags.FollowLast : WalkFlags.None);
        Errno error = Paths.Resolve(task, AtFlags.FdCwd, target, walk, out VfsPath place);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        MountNamespace mounts = task.Fs.Mounts;
        if (!MayMount(task))
        {
            error = Errno.EPERM;
        }
        else if (!IsMountRoot(mounts, place))
        {
            error = Errno.EINVAL;
        }
        else if ((flags & Expire) != 0 && !place.Mount!.MarkExpired())
        {
            error = Errno.EAGAIN; // Marked: the next one takes it away.
        }
        else
        {
            error = mounts.Detach(place.Mount!, (flags & Detach) != 0);
        }

        place.Unreference();
        return (SyscallResult)error;
    }

    /// <summary>pivot_root(2)</summary>
    public static partial Blocking<SyscallResult> PivotRoot(Task task, UserPtr newRoot, UserPtr putOld)
    {
        if (!MayMount(task))
        {
            return (SyscallResult)Errno.EPERM;
        }

        const WalkFlags Walk = WalkFlags.FollowLast | WalkFlags.RequireDirectory;
        Errno error = Paths.Resolve(task, AtFlags.FdCwd, newRoot, Walk, out VfsPath top);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Paths.Resolve(task, AtFlags.FdCwd, putOld, Walk, out VfsPath place);
        if (error == Errno.None)
        {
            VfsPath root = task.Fs.GetRoot();
            error = task.Fs.Mounts.PivotRoot(root, top, place);
            if (error == Errno.None)
            {
                // Every process that stood at the old root stands at the new one (chroot_fs_refs()).
                task.Kernel.Tasks.ReplacePlaces(root, top);
            }

            root.Unreference();
            place.Unreference();
        }

        top.Unreference();
        return (SyscallResult)error;
    }
}
