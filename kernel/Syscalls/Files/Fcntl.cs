// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;
using CVisor.FileSystems.Tmpfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>fcntl.</content>
public static partial class Handlers
{
    private const int DupFd = 0, GetFd = 1, SetFd = 2, GetFl = 3, SetFl = 4, GetLk = 5, SetLk = 6, SetLkW = 7, SetOwn = 8, GetOwn = 9, SetSig = 10, GetSig = 11, SetOwnEx = 15, GetOwnEx = 16,
        OfdGetLk = 36, OfdSetLk = 37, OfdSetLkW = 38, SetLease = 1024, GetLease = 1025, Notify = 1026, DupFdCloexec = 1030, SetPipeSize = 1031, GetPipeSize = 1032, AddSeals = 1033, GetSeals = 1034;

    /// <summary>fcntl(2)</summary>
    public static partial Blocking<SyscallResult> Fcntl(Task task, int fd, int cmd, ulong arg)
    {
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return (SyscallResult)Errno.EBADF;
        }

        if (cmd is SetLkW or OfdSetLkW && (file.Flags & OpenFlags.Path) == 0)
        {
            return LockRange(task, fd, file, cmd, new UserPtr(arg));
        }

        SyscallResult result = Control(task, fd, file, cmd, arg);
        file.Unreference();
        return result;
    }

    private static SyscallResult Control(Task task, int fd, FileDescription file, int cmd, ulong arg)
    {
        switch (cmd)
        {
            case DupFd or DupFdCloexec:
                return DuplicateFrom(task, file, arg, cmd == DupFdCloexec);
            case GetFd:
                return task.Descriptors.GetCloseOnExec(fd, out bool closeOnExec) is var error and not Errno.None ? error : closeOnExec ? 1 : 0;
            case SetFd:
                return task.Descriptors.SetCloseOnExec(fd, (arg & 1) != 0);
            case GetFl:
                return (long)(file.Flags & ~OpenFlags.ForExecution);
        }

        if ((file.Flags & OpenFlags.Path) != 0)
        {
            return Errno.EBADF;
        }

        switch (cmd)
        {
            case SetFl:
                return SetStatusFlags(task, fd, file, unchecked((OpenFlags)(uint)arg));
            case GetLk or OfdGetLk:
                return FindLock(task, file, cmd, new UserPtr(arg));
            case SetLk or OfdSetLk:
                return TrySetLock(task, file, cmd, new UserPtr(arg));
            case SetOwn or GetOwn or SetOwnEx or GetOwnEx or SetSig or GetSig:
                return ControlOwner(task, file, cmd, arg);
            case GetLease:
                return 2; // F_UNLCK: nobody has one.
            case SetLease:
                return (int)unchecked((uint)arg) == 2 ? Errno.EAGAIN : Errno.EINVAL;
            case Notify:
                return NotifyOfChanges(task, fd, file, unchecked((DirectoryEvents)(uint)arg));
            case SetPipeSize:
                return file is PipeDescription pipe ? pipe.Pipe.SetCapacity(unchecked((uint)arg), task.Credentials.Has(Capability.SysResource)) : Errno.EBADF;
            case GetPipeSize:
                return file is PipeDescription sized ? sized.Pipe.CapacityBytes : Errno.EBADF;
            case AddSeals:
                return file.Inode is not TmpfsRegular sealedFile ? Errno.EINVAL
                    : !file.IsWritable ? Errno.EPERM
                    : arg > 0x3f ? Errno.EINVAL : sealedFile.AddSeals((FileSeals)(int)(arg & 0x3f));
            case GetSeals:
                return file.Inode is TmpfsRegular asked ? (int)asked.Seals : Errno.EINVAL;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult DuplicateFrom(Task task, FileDescription file, ulong minimum, bool closeOnExec)
    {
        if (minimum >= (ulong)task.FileLimit)
        {
            return Errno.EINVAL;
        }

        file.Reference();
        Errno error = task.Descriptors.Install(file, closeOnExec, task.FileLimit, out int fd, (int)(minimum & int.MaxValue));
        if (error != Errno.None)
        {
            file.Unreference();
            return error;
        }

        return fd;
    }

    private static Errno NotifyOfChanges(Task task, int fd, FileDescription file, DirectoryEvents events)
    {
        if (file.Inode?.Type != FileType.Directory)
        {
            return Errno.ENOTDIR;
        }

        DirectoryNotice.Set(task, file, fd, events);
        return Errno.None;
    }

    private static Errno SetStatusFlags(Task task, int fd, FileDescription file, OpenFlags flags)
    {
        if ((flags & ~file.Flags & OpenFlags.NoAccessTime) != 0 && file.Inode is { } inode)
        {
            Errno error = inode.GetAttributes(out Attributes attributes);
            if (error != Errno.None || (attributes.Uid != task.Credentials.FileUid && !task.Credentials.Has(Capability.Fowner)))
            {
                return error != Errno.None ? error : Errno.EPERM;
            }
        }

        file.SetStatusFlags(flags, task, fd);
        return Errno.None;
    }

    private static SyscallResult ControlOwner(Task task, FileDescription file, int cmd, ulong arg)
    {
        AsyncOwner owner = file.AsyncOwner;
        int number = unchecked((int)(uint)arg);
        switch (cmd)
        {
            case SetSig:
                if (number is < 0 or > 64)
                {
                    return Errno.EINVAL;
                }

                file.AsyncOwner = owner with { Signal = number };
                return 0;
            case GetSig:
                return owner.Signal;
            case GetOwn:
                return owner.Kind == AsyncOwnerKind.ProcessGroup ? -owner.Pid : owner.Pid;
            case SetOwn:
                if (number == int.MinValue)
                {
                    return Errno.EINVAL;
                }

                file.AsyncOwner = owner.Named(task, number < 0 ? AsyncOwnerKind.ProcessGroup : AsyncOwnerKind.Process, Math.Abs(number));
                return 0;
            case GetOwnEx:
                Abi.Linux.OwnerEx told = new() { Type = (int)owner.Kind, Pid = owner.Pid };
                return task.Memory.CopyOut(new UserPtr(arg), told);
            default:
                Errno error = task.Memory.CopyIn(new UserPtr(arg), out Abi.Linux.OwnerEx wanted);
                if (error != Errno.None || wanted.Type is < 0 or > 2)
                {
                    return error != Errno.None ? error : Errno.EINVAL;
                }

                file.AsyncOwner = owner.Named(task, (AsyncOwnerKind)wanted.Type, wanted.Pid);
                return 0;
        }
    }
}
