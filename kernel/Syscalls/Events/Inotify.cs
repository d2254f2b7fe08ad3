// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Inotify;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch.</content>
public static partial class Handlers
{
    /// <summary>inotify_init(2)</summary>
    public static partial SyscallResult InotifyInit(Task task) => InotifyInit1(task, 0);

    /// <summary>inotify_init1(2)</summary>
    public static partial SyscallResult InotifyInit1(Task task, int flags)
    {
        OpenFlags wanted = unchecked((OpenFlags)flags);
        return (wanted & ~(OpenFlags.CloseOnExec | OpenFlags.NonBlock)) != 0
            ? Errno.EINVAL
            : Descriptors.Install(task, new InotifyDescription(wanted & OpenFlags.NonBlock), (wanted & OpenFlags.CloseOnExec) != 0);
    }

    /// <summary>inotify_add_watch(2)</summary>
    public static partial Blocking<SyscallResult> InotifyAddWatch(Task task, int fd, UserPtr path, uint mask)
    {
        const uint KernelEvents = (uint)(FileEventMask.Unmount | FileEventMask.Overflow | FileEventMask.Ignored | FileEventMask.IsDirectory);
        const InotifyOptions AllOptions = InotifyOptions.OnlyDirectory | InotifyOptions.DoNotFollow | InotifyOptions.ExcludeUnlinked | InotifyOptions.MaskCreate |
            InotifyOptions.MaskAdd | InotifyOptions.OneShot;
        const InotifyOptions Contradiction = InotifyOptions.MaskAdd | InotifyOptions.MaskCreate;
        if (mask == 0 || (mask & ~((uint)InotifyDescription.AllEvents | KernelEvents | (uint)AllOptions)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        InotifyOptions options = (InotifyOptions)mask;
        int number = -1;
        VfsPath place = default;
        if (file is not InotifyDescription instance || (options & Contradiction) == Contradiction)
        {
            error = Errno.EINVAL;
        }
        else
        {
            WalkFlags walk = (options & InotifyOptions.DoNotFollow) == 0 ? WalkFlags.FollowLast : WalkFlags.None;
            walk |= (options & InotifyOptions.OnlyDirectory) != 0 ? WalkFlags.RequireDirectory : WalkFlags.None;
            error = Paths.Resolve(task, AtFlags.FdCwd, path, walk, out place);
            error = error != Errno.None ? error : VirtualFileSystem.CheckAccess(task.Credentials, place, AccessMode.Read);
            error = error != Errno.None ? error : instance.Watch(place.Inode, mask, out number);
        }

        place.Unreference();
        file.Unreference();
        return error != Errno.None ? (SyscallResult)error : (SyscallResult)number;
    }

    /// <summary>inotify_rm_watch(2)</summary>
    public static partial SyscallResult InotifyRmWatch(Task task, int fd, int wd)
    {
        Errno error = Descriptors.Get(task, fd, Errno.EINVAL, out InotifyDescription file);
        if (error == Errno.None)
        {
            error = file.Unwatch(wd);
            file.Unreference();
        }

        return error;
    }
}
