// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>mount.</content>
public static partial class Handlers
{
    private const ulong MsRemount = 0x20, MsBind = 0x1000, MsMove = 0x2000, MsRecursive = 0x4000, MsSilent = 0x8000, MsUnbindable = 1 << 17, MsPrivate = 1 << 18, MsSlave = 1 << 19,
        MsShared = 1 << 20, MsStrictAccessTime = 1 << 24, MsNoUser = 1UL << 31, MsMagic = 0xc0ed0000, MsMagicMask = 0xffff0000;

    private const ulong MsPropagation = MsUnbindable | MsPrivate | MsSlave | MsShared;

    private const int MountTextMaximum = 4096;

    /// <summary>mount(2)</summary>
    public static partial Blocking<SyscallResult> Mount(Task task, UserPtr source, UserPtr target, UserPtr fstype, ulong flags, UserPtr data)
    {
        Errno error = ReadMountText(task, fstype, out string? type);
        string? from = null;
        string? options = null;
        error = error != Errno.None ? error : ReadMountText(task, source, out from);
        error = error != Errno.None ? error : ReadMountData(task, data, out options);
        VfsPath place = default;
        error = error != Errno.None ? error : Paths.Resolve(task, AtFlags.FdCwd, target, WalkFlags.FollowLast, out place);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        flags = (flags & MsMagicMask) == MsMagic ? flags & ~MsMagicMask : flags;
        error = (flags & MsNoUser) != 0 ? Errno.EINVAL : !MayMount(task) ? Errno.EPERM : MountAt(task, from, place, type, flags, options ?? "");
        place.Unreference();
        return (SyscallResult)error;
    }

    /// <summary>Whether a task may change its mount namespace (may_mount()).</summary>
    private static bool MayMount(Task task) => task.Credentials.Has(Capability.SysAdmin, task.Fs.Mounts.Owner);

    private static Errno MountAt(Task task, string? source, VfsPath place, string? type, ulong flags, string options)
    {
        MountFlags wanted = PerMountFlags(flags);
        MountNamespace mounts = task.Fs.Mounts;
        if ((flags & MsRemount) != 0)
        {
            if (!IsMountRoot(mounts, place))
            {
                return Errno.EINVAL;
            }

            mounts.SetFlags(place.Mount!, wanted);
            return Errno.None;
        }

        if ((flags & MsBind) != 0)
        {
            return BindAt(task, source, place, (flags & MsRecursive) != 0);
        }

        if ((flags & MsPropagation) != 0)
        {
            bool isOne = System.Numerics.BitOperations.IsPow2(flags & MsPropagation) && (flags & ~(MsPropagation | MsRecursive | MsSilent)) == 0;
            if (!isOne || !IsMountRoot(mounts, place))
            {
                return Errno.EINVAL;
            }

            mounts.SetPropagation(place.Mount!, PropagationOf(flags), (flags & MsRecursive) != 0);
            return Errno.None;
        }

        if ((flags & MsMove) != 0)
        {
            return MoveTo(task, source, place);
        }

        if (type is null)
        {
            return Errno.EINVAL;
        }

        Errno error = MountableTypes.Make(type, task, options, out FileSystem? fileSystem);
        return error != Errno.None ? error : AttachNew(mounts, new Mount(fileSystem!, wanted, string.IsNullOrEmpty(source) ? "none" : source), place);
    }

    private static Errno BindAt(Task task, string? source, VfsPath place, bool isRecursive)
    {
        Errno error = ResolveSource(task, source, out VfsPath from);
        if (error != Errno.None)
        {
            return error;
        }

        MountNamespace mounts = task.Fs.Mounts;
        if (from.Mount!.Namespace != mounts || from.Mount.IsUnbindable)
        {
            error = Errno.EINVAL;
        }
        else
        {
            // Whole before it is attached, since it spreads then.
            MountNamespace tree = MountNamespace.CopyTree(from, isRecursive);
            _ = tree.TryTake(); // Nobody else knows it.
            error = mounts.AttachTree(tree, place);
            if (error != Errno.None)
            {
                tree.RemoveUser();
            }
        }

        from.Unreference();
        return error;
    }

    private static Errno MoveTo(Task task, string? source, VfsPath place)
    {
        Errno error = ResolveSource(task, source, out VfsPath from);
        if (error != Errno.None)
        {
            return error;
        }

        MountNamespace mounts = task.Fs.Mounts;
        error = IsMountRoot(mounts, from) ? mounts.Move(from.Mount!, place) : Errno.EINVAL;
        from.Unreference();
        return error;
    }

    private static Errno ResolveSource(Task task, string? source, out VfsPath place)
    {
        place = default;
        if (string.IsNullOrEmpty(source))
        {
            return Errno.EINVAL;
        }

        Errno error = Paths.Start(task, AtFlags.FdCwd, source, out WalkStart start);
        if (error == Errno.None)
        {
            error = VirtualFileSystem.Resolve(task.Operation, start.Root, start.Directory, source, WalkFlags.FollowLast, out place);
            start.Release();
        }

        return error;
    }

    private static Errno AttachNew(MountNamespace mounts, Mount mount, VfsPath place)
    {
        Errno error = mounts.Attach(mount, place);
        if (error != Errno.None)
        {
            mount.Unreference();
        }

        return error;
    }

    /// <summary>Whether a place is the root of a mount of this namespace.</summary>
    private static bool IsMountRoot(MountNamespace mounts, VfsPath place) => place.Mount!.Namespace == mounts && place.Dentry == place.Mount.Root;

    private static MountFlags PerMountFlags(ulong flags)
    {
        const MountFlags Kept = MountFlags.ReadOnly | MountFlags.NoSetId | MountFlags.NoDevices | MountFlags.NoExecute | MountFlags.NoSymlinks | MountFlags.NoAccessTime |
            MountFlags.NoDirectoryAccessTime;
        MountFlags kept = (MountFlags)(flags & (ulong)Kept);
        bool isRelative = (kept & MountFlags.NoAccessTime) == 0 && (flags & MsStrictAccessTime) == 0;
        return kept | (isRelative ? MountFlags.RelativeAccessTime : MountFlags.None);
    }

    private static MountPropagation PropagationOf(ulong flags) => (flags & MsPropagation) switch
    {
        MsShared => MountPropagation.Shared,
        MsSlave => MountPropagation.Slave,
        MsUnbindable => MountPropagation.Unbindable,
        _ => MountPropagation.Private,
    };

    private static Errno ReadMountText(Task task, UserPtr pointer, out string? text)
    {
        text = null;
        return pointer.IsNull ? Errno.None : task.Memory.CopyInString(pointer, MountTextMaximum, Errno.EINVAL, out text!);
    }

    /// <summary>Options: one page at most, and shorter where the guest's memory ends (copy_mount_options()).</summary>
    private static Errno ReadMountData(Task task, UserPtr pointer, out string? text)
    {
        text = null;
        if (pointer.IsNull)
        {
            return Errno.None;
        }

        byte[] bytes = new byte[MountTextMaximum - 1];
        int read = task.Memory.CopyInPartial(pointer, bytes);
        if (read == 0)
        {
            return Errno.EFAULT;
        }

        int end = Array.IndexOf(bytes, (byte)0, 0, read);
        text = KernelString.FromBytes(bytes.AsSpan(0, end < 0 ? read : end));
        return Errno.None;
    }
}
