// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>flock, and the locks of fcntl.</content>
public static partial class Handlers
{
    private const short ReadLock = 0, WriteLock = 1, NoLock = 2;

    /// <summary>flock(2)</summary>
    public static partial Blocking<SyscallResult> Flock(Task task, int fd, int operation)
    {
        const int Shared = 1, Exclusive = 2, NonBlocking = 4, Unlock = 8;
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        int kind = operation & ~NonBlocking;
        if (kind is not (Shared or Exclusive or Unlock) || file.Inode is not { } inode)
        {
            file.Unreference();
            return (SyscallResult)Errno.EINVAL;
        }

        if (kind == Unlock)
        {
            inode.Locks.UnlockWhole(file);
            file.Unreference();
            return SyscallResult.Success;
        }

        error = inode.Locks.TryLockWhole(file, kind == Exclusive);
        if (error == Errno.None || (operation & NonBlocking) != 0)
        {
            file.Unreference();
            return (SyscallResult)error;
        }

        return WaitForLock(file, inode.Locks.LockWhole(task, file, kind == Exclusive));
    }

    private static Blocking<SyscallResult> LockRange(Task task, int fd, FileDescription file, int cmd, UserPtr pointer)
    {
        Errno error = ReadLockRange(task, file, cmd, pointer, out FileLock? wanted, out _);
        error = error == Errno.None ? CheckLockMode(file, wanted) : error;
        if (error != Errno.None || wanted is null || file.Inode!.Locks.TryLock(wanted) == Errno.None)
        {
            file.Unreference();
            return (SyscallResult)error;
        }

        return WaitForLock(file, file.Inode!.Locks.Lock(task, wanted));
    }

    private static async Blocking<SyscallResult> WaitForLock(FileDescription file, Blocking<Errno> locking)
    {
        Errno error = await locking;
        file.Unreference();
        return error == Errno.EINTR ? SyscallResult.Restarts(Restart.IfHandlerAllows) : error;
    }

    private static Errno TrySetLock(Task task, FileDescription file, int cmd, UserPtr pointer)
    {
        Errno error = ReadLockRange(task, file, cmd, pointer, out FileLock? wanted, out _);
        error = error == Errno.None ? CheckLockMode(file, wanted) : error;
        return error != Errno.None || wanted is null ? error : file.Inode!.Locks.TryLock(wanted);
    }

    private static Errno FindLock(Task task, FileDescription file, int cmd, UserPtr pointer)
    {
        Errno error = ReadLockRange(task, file, cmd, pointer, out FileLock? wanted, out Flock guest);
        if (error != Errno.None)
        {
            return error;
        }

        if (wanted is null)
        {
            return Errno.EINVAL;
        }

        if (file.Inode!.Locks.FindConflict(wanted) is { } conflict)
        {
            guest.Type = conflict.IsWrite ? WriteLock : ReadLock;
            guest.Whence = 0;
            guest.Start = conflict.Start;
            guest.Length = conflict.End == long.MaxValue ? 0 : conflict.End - conflict.Start + 1;
            guest.Pid = conflict.Pid;
        }
        else
        {
            guest.Type = NoLock;
        }

        return task.Memory.CopyOut(pointer, guest);
    }

    private static Errno CheckLockMode(FileDescription file, FileLock? wanted) =>
        wanted is null || (wanted.IsWrite ? file.IsWritable : file.IsReadable) ? Errno.None : Errno.EBADF;

    /// <summary>Reads struct flock. F_UNLCK is done at once, and leaves nothing wanted.</summary>
    private static Errno ReadLockRange(Task task, FileDescription file, int cmd, UserPtr pointer, out FileLock? wanted, out Flock guest)
    {
        wanted = null;
        Errno error = task.Memory.CopyIn(pointer, out guest);
        if (error != Errno.None)
        {
            return error;
        }

        bool isOfd = cmd is OfdGetLk or OfdSetLk or OfdSetLkW;
        if (file.Inode is not { } inode || guest.Type is not (ReadLock or WriteLock or NoLock) || (isOfd && guest.Pid != 0))
        {
            return Errno.EINVAL;
        }

        error = RangeOf(file, inode, guest, out long start, out long end);
        if (error != Errno.None)
        {
            return error;
        }

        object owner = isOfd ? file : task.Descriptors;
        FileLock range = new(owner, guest.Type == WriteLock, start, end, isOfd ? -1 : task.ThreadGroup.Pid);
        if (guest.Type != NoLock)
        {
            wanted = range;
        }
        else if (cmd is not (GetLk or OfdGetLk))
        {
            inode.Locks.Unlock(range);
        }

        return Errno.None;
    }

    private static Errno RangeOf(FileDescription file, Inode inode, in Flock guest, out long start, out long end)
    {
        start = 0;
        end = 0;
        long origin = 0;
        switch (guest.Whence)
        {
            case 0:
                break;
            case 1:
                IoResult here = file.Seek(0, 1);
                origin = here.IsError ? 0 : here.Count;
                break;
            case 2:
                Errno error = inode.GetAttributes(out Attributes attributes);
                if (error != Errno.None)
                {
                    return error;
                }

                origin = (long)Math.Min(attributes.SizeBytes, long.MaxValue);
                break;
            default:
                return Errno.EINVAL;
        }

        if (guest.Start > long.MaxValue - origin)
        {
            return Errno.EOVERFLOW;
        }

        start = unchecked(origin + guest.Start);
        if (guest.Length < 0)
        {
            // A negative length is the bytes before the start.
            end = unchecked(start - 1);
            start = unchecked(start + guest.Length);
        }
        else if (guest.Length == 0)
        {
            end = long.MaxValue;
        }
        else if (start >= 0 && guest.Length - 1 > long.MaxValue - start)
        {
            return Errno.EOVERFLOW;
        }
        else
        {
            end = unchecked(start + guest.Length - 1);
        }

        return start < 0 || end < start ? Errno.EINVAL : Errno.None;
    }
}
