// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <summary>struct mount_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
internal struct GuestMountAttr
{
    internal ulong Set;
    internal ulong Clear;
    internal ulong Propagation;
    internal ulong UserNamespace;
}

/// <content>open_tree, move_mount, mount_setattr.</content>
public static partial class Handlers
{
    private const uint AtRecursive = 0x8000, AtNoAutomount = 0x800, TreeCloseOnExec = 0x80000;

    /// <summary>open_tree(2)</summary>
    public static partial Blocking<SyscallResult> OpenTree(Task task, int dirfd, UserPtr path, uint flags)
    {
        const uint Clone = 1, Walk = AtFlags.EmptyPath | AtFlags.SymlinkNoFollow;
        bool clones = (flags & Clone) != 0;
        bool isRecursive = (flags & AtRecursive) != 0;
        if ((flags & ~(Clone | TreeCloseOnExec | Walk | AtNoAutomount | AtRecursive)) != 0 || (isRecursive && !clones))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if (clones && !MayMount(task))
        {
            return (SyscallResult)Errno.EPERM;
        }

        Errno error = Paths.Resolve(task, dirfd, path, Paths.FlagsOf((int)(flags & Walk)), out VfsPath place);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        FileDescription? opened = null;
        if (!clones)
        {
            opened = new PathDescription(place, OpenFlags.Path);
        }
        else if (!IsOurs(task, place.Mount!) || place.Mount!.IsUnbindable)
        {
            error = Errno.EINVAL;
        }
        else
        {
            opened = new FloatingMountDescription(MountNamespace.CopyTree(place, isRecursive));
        }

        place.Unreference();
        return opened is null ? (SyscallResult)error : Descriptors.Install(task, opened, (flags & TreeCloseOnExec) != 0);
    }

    /// <summary>move_mount(2)</summary>
    public static partial Blocking<SyscallResult> MoveMount(Task task, int fromDirfd, UserPtr fromPath, int toDirfd, UserPtr toPath, uint flags)
    {
        const uint FromSymlinks = 1, FromAutomounts = 2, FromEmpty = 4, ToSymlinks = 0x10, ToAutomounts = 0x20, ToEmpty = 0x40;
        if (!MayMount(task))
        {
            return (SyscallResult)Errno.EPERM;
        }

        if ((flags & ~(FromSymlinks | FromAutomounts | FromEmpty | ToSymlinks | ToAutomounts | ToEmpty)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Paths.Resolve(task, fromDirfd, fromPath, WalkOf(flags & FromSymlinks, flags & FromEmpty), out VfsPath from);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Paths.Resolve(task, toDirfd, toPath, WalkOf(flags & ToSymlinks, flags & ToEmpty), out VfsPath to);
        if (error == Errno.None)
        {
            error = MoveTree(task.Fs.Mounts, from, to);
            to.Unreference();
        }

        from.Unreference();
        return (SyscallResult)error;

        static WalkFlags WalkOf(uint follows, uint mayBeEmpty) => (follows != 0 ? WalkFlags.FollowLast : WalkFlags.None) | (mayBeEmpty != 0 ? WalkFlags.AllowEmpty : WalkFlags.None);
    }

    /// <summary>mount_setattr(2)</summary>
    public static partial Blocking<SyscallResult> MountSetattr(Task task, int dirfd, UserPtr path, uint flags, UserPtr attr, ulong size)
    {
        const uint Walk = AtFlags.EmptyPath | AtFlags.SymlinkNoFollow;
        const ulong KnownBytes = 32;
        if ((flags & ~(Walk | AtNoAutomount | AtRecursive)) != 0 || size < KnownBytes)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if (size <= 4096 && !MayMount(task))
        {
            return (SyscallResult)Errno.EPERM;
        }

        Errno error = GuestStruct.CopyIn(task.Memory, attr, size, out GuestMountAttr wanted);
        if (error != Errno.None || (wanted.Set | wanted.Clear | wanted.Propagation) == 0)
        {
            return (SyscallResult)error;
        }

        error = ReadAttributes(wanted, out MountFlags cleared, out MountFlags set, out MountPropagation? propagation);
        VfsPath place = default;
        error = error != Errno.None ? error : Paths.Resolve(task, dirfd, path, Paths.FlagsOf((int)(flags & Walk)), out place);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        Mount mount = place.Mount!;
        if (IsOurs(task, mount) && place.Dentry == mount.Root)
        {
            mount.Namespace!.ChangeFlags(mount, cleared, set, propagation, (flags & AtRecursive) != 0);
        }
        else
        {
            error = Errno.EINVAL;
        }

        place.Unreference();
        return (SyscallResult)error;
    }

    /// <summary>Whether a mount is of the caller's namespace, or of a tree that lies nowhere yet.</summary>
    private static bool IsOurs(Task task, Mount mount) => mount.Namespace is { } mounts && (mounts == task.Fs.Mounts || mounts.IsFloating);

    private static Errno MoveTree(MountNamespace mounts, VfsPath from, VfsPath to)
    {
        Mount mount = from.Mount!;
        if (from.Dentry != mount.Root)
        {
            return Errno.EINVAL;
        }

        if (mount.Namespace == mounts)
        {
            return mounts.Move(mount, to);
        }

        if (mount.Namespace is not { } tree || tree.Root != mount || !tree.TryTake())
        {
            return Errno.EINVAL;
        }

        Errno error = mounts.AttachTree(tree, to);
        if (error != Errno.None)
        {
            tree.PutBack();
        }

        return error;
    }

    private static Errno ReadAttributes(in GuestMountAttr wanted, out MountFlags cleared, out MountFlags set, out MountPropagation? propagation)
    {
        (cleared, set, propagation) = (MountFlags.None, MountFlags.None, null);
        const uint Known = (uint)(MountFlags.ReadOnly | MountFlags.NoSetId | MountFlags.NoDevices | MountFlags.NoExecute) | AttributeAccessTime | AttributeNoDirectoryAccessTime |
            AttributeNoSymlinks;
        if (((wanted.Set | wanted.Clear) & ~(ulong)Known) != 0 || (wanted.Propagation & ~MsPropagation) != 0 || System.Numerics.BitOperations.PopCount(wanted.Propagation) > 1)
        {
            return Errno.EINVAL;
        }

        // The access time is one field of three values: it is cleared as a whole or not touched.
        uint setBits = (uint)(wanted.Set & Known);
        uint clearBits = (uint)(wanted.Clear & Known);
        bool setsAccessTime = (clearBits & AttributeAccessTime) == AttributeAccessTime;
        if ((!setsAccessTime && ((setBits | clearBits) & AttributeAccessTime) != 0) || !TryMountFlags(setBits, out set) || !TryMountFlags(clearBits & ~AttributeAccessTime, out cleared))
        {
            return Errno.EINVAL;
        }

        const MountFlags AccessTime = MountFlags.RelativeAccessTime | MountFlags.NoAccessTime;
        cleared = (cleared & ~AccessTime) | (setsAccessTime ? AccessTime : MountFlags.None);
        set = setsAccessTime ? set : set & ~AccessTime;
        propagation = wanted.Propagation == 0 ? null : PropagationOf(wanted.Propagation);
        return Errno.None;
    }
}
