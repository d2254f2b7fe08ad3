// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>open, openat, openat2, creat.</content>
public static partial class Handlers
{
    private const OpenFlags KnownOpenFlags = OpenFlags.AccessModeMask | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoControllingTty | OpenFlags.Truncate | OpenFlags.Append |
        OpenFlags.NonBlock | OpenFlags.Sync | OpenFlags.Async | OpenFlags.Direct | OpenFlags.LargeFile | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NoAccessTime |
        OpenFlags.CloseOnExec | OpenFlags.Path | OpenFlags.TempFile;

    /// <summary>open(2)</summary>
    public static partial Blocking<SyscallResult> Open(Task task, UserPtr path, int flags, uint mode) =>
        OpenFile(task, AtFlags.FdCwd, path, unchecked((OpenFlags)(uint)flags), mode);

    /// <summary>openat(2)</summary>
    public static partial Blocking<SyscallResult> Openat(Task task, int dirfd, UserPtr path, int flags, uint mode) =>
        OpenFile(task, dirfd, path, unchecked((OpenFlags)(uint)flags), mode);

    /// <summary>creat(2)</summary>
    public static partial Blocking<SyscallResult> Creat(Task task, UserPtr path, uint mode) =>
        OpenFile(task, AtFlags.FdCwd, path, OpenFlags.Create | OpenFlags.WriteOnly | OpenFlags.Truncate, mode);

    /// <summary>openat2(2)</summary>
    public static partial Blocking<SyscallResult> Openat2(Task task, int dirfd, UserPtr path, UserPtr how, ulong size)
    {
        Errno error = ReadOpenHow(task, how, size, out OpenHow wanted);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        const ulong NoXdev = 1, NoMagicLinks = 2, NoSymlinks = 4, Beneath = 8, InRoot = 16, Cached = 32;
        OpenFlags flags = (OpenFlags)(uint)(wanted.Flags & uint.MaxValue);
        bool makes = (flags & OpenFlags.Create) != 0 || (flags & OpenFlags.TempFile) == OpenFlags.TempFile;
        if (wanted.Flags > uint.MaxValue || (flags & ~KnownOpenFlags) != 0 || wanted.Resolve >= Cached * 2 || (wanted.Resolve & (Beneath | InRoot)) == (Beneath | InRoot) ||
            (makes ? (wanted.Mode & ~0xfffUL) != 0 : wanted.Mode != 0))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        const OpenFlags WithPath = OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec;
        if ((flags & OpenFlags.Path) != 0 && (flags & ~WithPath) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if ((wanted.Resolve & Cached) != 0)
        {
            return (SyscallResult)Errno.EAGAIN; // Nothing is promised to be cached: the caller tries again without.
        }

        WalkFlags walk = WalkFlags.None;
        walk |= (wanted.Resolve & NoXdev) != 0 ? WalkFlags.NoCrossMounts : WalkFlags.None;
        walk |= (wanted.Resolve & NoMagicLinks) != 0 ? WalkFlags.NoMagicLinks : WalkFlags.None;
        walk |= (wanted.Resolve & NoSymlinks) != 0 ? WalkFlags.NoSymlinks : WalkFlags.None;
        walk |= (wanted.Resolve & Beneath) != 0 ? WalkFlags.Beneath : WalkFlags.None;
        walk |= (wanted.Resolve & InRoot) != 0 ? WalkFlags.InRoot : WalkFlags.None;
        return OpenFile(task, dirfd, path, flags, (uint)(wanted.Mode & 0xfff), walk);
    }

    private static Errno ReadOpenHow(Task task, UserPtr how, ulong size, out OpenHow wanted)
    {
        const ulong KnownBytes = 24, PageBytes = 4096;
        wanted = default;
        if (size < KnownBytes)
        {
            return Errno.EINVAL;
        }

        if (size > PageBytes)
        {
            return Errno.E2BIG;
        }

        Errno error = task.Memory.CopyIn(how, out wanted);
        for (ulong at = KnownBytes; at < size && error == Errno.None; at++)
        {
            error = task.Memory.CopyIn(how.Offset(at), out byte rest);
            error = error == Errno.None && rest != 0 ? Errno.E2BIG : error;
        }

        return error;
    }

    private static Blocking<SyscallResult> OpenFile(Task task, int dirfd, UserPtr pointer, OpenFlags flags, uint mode, WalkFlags walk = WalkFlags.None)
    {
        flags = (flags & KnownOpenFlags) | ((flags & OpenFlags.Path) == 0 ? OpenFlags.LargeFile : OpenFlags.ReadOnly);
        Errno error = Paths.Start(task, dirfd, pointer, out string path, out WalkStart start, walk);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        Blocking<OpenResult> opening = VirtualFileSystem.Open(task.Operation, start.Root, start.Directory, path, flags, mode & ModeBits.PermissionMask, walk);
        start.Release();
        return opening.IsCompleted ? FinishOpen(task, opening.Take(), flags) : FinishOpen(task, opening, flags);
    }

    private static async Blocking<SyscallResult> FinishOpen(Task task, Blocking<OpenResult> opening, OpenFlags flags) => FinishOpen(task, await opening, flags);

    private static SyscallResult FinishOpen(Task task, OpenResult result, OpenFlags flags)
    {
        if (result.Description is not { } file)
        {
            // Only a wait that a signal ended says EINTR.
            return result.Error == Errno.EINTR ? SyscallResult.Restarts(Restart.IfHandlerAllows) : result.Error;
        }

        return Descriptors.Install(task, file, (flags & OpenFlags.CloseOnExec) != 0);
    }
}
