// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>getxattr, setxattr, listxattr, removexattr, and their l and f forms.</content>
public static partial class Handlers
{
    private const int MaximumXattrName = 255;

    /// <summary>getxattr(2)</summary>
    public static partial Blocking<SyscallResult> Getxattr(Task task, UserPtr path, UserPtr name, UserPtr value, ulong size) =>
        (SyscallResult)GetXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place), place, name, value, size);

    /// <summary>lgetxattr(2)</summary>
    public static partial Blocking<SyscallResult> Lgetxattr(Task task, UserPtr path, UserPtr name, UserPtr value, ulong size) =>
        (SyscallResult)GetXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.None, out VfsPath place), place, name, value, size);

    /// <summary>fgetxattr(2)</summary>
    public static partial Blocking<SyscallResult> Fgetxattr(Task task, int fd, UserPtr name, UserPtr value, ulong size) =>
        (SyscallResult)GetXattr(task, PlaceOf(task, fd, out VfsPath place), place, name, value, size);

    /// <summary>setxattr(2)</summary>
    public static partial Blocking<SyscallResult> Setxattr(Task task, UserPtr path, UserPtr name, UserPtr value, ulong size, int flags) =>
        (SyscallResult)SetXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place), place, name, value, size, flags);

    /// <summary>lsetxattr(2)</summary>
    public static partial Blocking<SyscallResult> Lsetxattr(Task task, UserPtr path, UserPtr name, UserPtr value, ulong size, int flags) =>
        (SyscallResult)SetXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.None, out VfsPath place), place, name, value, size, flags);

    /// <summary>fsetxattr(2)</summary>
    public static partial Blocking<SyscallResult> Fsetxattr(Task task, int fd, UserPtr name, UserPtr value, ulong size, int flags) =>
        (SyscallResult)SetXattr(task, PlaceOf(task, fd, out VfsPath place), place, name, value, size, flags);

    /// <summary>listxattr(2)</summary>
    public static partial Blocking<SyscallResult> Listxattr(Task task, UserPtr path, UserPtr list, ulong size) =>
        (SyscallResult)ListXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place), place, list, size);

    /// <summary>llistxattr(2)</summary>
    public static partial Blocking<SyscallResult> Llistxattr(Task task, UserPtr path, UserPtr list, ulong size) =>
        (SyscallResult)ListXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.None, out VfsPath place), place, list, size);

    /// <summary>flistxattr(2)</summary>
    public static partial Blocking<SyscallResult> Flistxattr(Task task, int fd, UserPtr list, ulong size) =>
        (SyscallResult)ListXattr(task, PlaceOf(task, fd, out VfsPath place), place, list, size);

    /// <summary>removexattr(2)</summary>
    public static partial Blocking<SyscallResult> Removexattr(Task task, UserPtr path, UserPtr name) =>
        (SyscallResult)RemoveXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast, out VfsPath place), place, name);

    /// <summary>lremovexattr(2)</summary>
    public static partial Blocking<SyscallResult> Lremovexattr(Task task, UserPtr path, UserPtr name) =>
        (SyscallResult)RemoveXattr(task, Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.None, out VfsPath place), place, name);

    /// <summary>fremovexattr(2)</summary>
    public static partial Blocking<SyscallResult> Fremovexattr(Task task, int fd, UserPtr name) =>
        (SyscallResult)RemoveXattr(task, PlaceOf(task, fd, out VfsPath place), place, name);

    private static SyscallResult GetXattr(Task task, Errno found, VfsPath place, UserPtr name, UserPtr value, ulong size)
    {
        if (found != Errno.None)
        {
            return found;
        }

        byte[] bytes = [];
        Errno error = ReadXattrName(task, name, out string text);
        error = error != Errno.None ? error : VirtualFileSystem.GetExtendedAttribute(task.Operation, place, text, out bytes);
        place.Unreference();
        return error != Errno.None ? error : StoreXattr(task, value, size, bytes);
    }

    private static Errno SetXattr(Task task, Errno found, VfsPath place, UserPtr name, UserPtr value, ulong size, int flags)
    {
        if (found != Errno.None)
        {
            return found;
        }

        const int Create = 1, Replace = 2;
        Errno error = (flags & ~(Create | Replace)) != 0 ? Errno.EINVAL : ReadXattrName(task, name, out string text) is var named and not Errno.None ? named
            : size > VirtualFileSystem.MaximumXattrValue ? Errno.E2BIG : SetXattr(task, place, text, value, (int)size, flags);
        place.Unreference();
        return error;
    }

    private static Errno SetXattr(Task task, VfsPath place, string name, UserPtr value, int size, int flags)
    {
        byte[] bytes = new byte[size];
        Errno error = task.Memory.CopyIn(value, bytes);
        return error != Errno.None ? error : VirtualFileSystem.SetExtendedAttribute(task.Operation, place, name, bytes, flags);
    }

    private static SyscallResult ListXattr(Task task, Errno found, VfsPath place, UserPtr list, ulong size)
    {
        if (found != Errno.None)
        {
            return found;
        }

        Errno error = VirtualFileSystem.ListExtendedAttributes(task.Operation, place, out List<string> names);
        place.Unreference();
        if (error != Errno.None)
        {
            return error;
        }

        string text = names.Count == 0 ? "" : string.Join('\0', names) + "\0";
        return StoreXattr(task, list, size, KernelString.ToBytes(text));
    }

    private static Errno RemoveXattr(Task task, Errno found, VfsPath place, UserPtr name)
    {
        if (found != Errno.None)
        {
            return found;
        }

        Errno error = ReadXattrName(task, name, out string text);
        error = error != Errno.None ? error : VirtualFileSystem.RemoveExtendedAttribute(task.Operation, place, text);
        place.Unreference();
        return error;
    }

    private static Errno ReadXattrName(Task task, UserPtr pointer, out string name)
    {
        Errno error = task.Memory.CopyInString(pointer, MaximumXattrName + 1, Errno.ERANGE, out name);
        return error == Errno.None && name.Length == 0 ? Errno.ERANGE : error;
    }

    private static SyscallResult StoreXattr(Task task, UserPtr buffer, ulong size, byte[] bytes)
    {
        if (size == 0)
        {
            return bytes.Length;
        }

        Errno error = (ulong)bytes.Length > size ? Errno.ERANGE : task.Memory.CopyOut(buffer, bytes);
        return error != Errno.None ? error : bytes.Length;
    }
}
