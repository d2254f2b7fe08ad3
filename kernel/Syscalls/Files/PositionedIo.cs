// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>pread64, pwrite64, preadv, pwritev, preadv2, pwritev2.</content>
public static partial class Handlers
{
    private const int RwfHighPriority = 1, RwfDataSync = 2, RwfSync = 4, RwfNoWait = 8, RwfAppend = 0x10;

    /// <summary>pread64(2)</summary>
    public static partial Blocking<SyscallResult> Pread64(Task task, int fd, UserPtr buf, ulong count, long offset) =>
        Positioned(task, fd, new IoBuffer(task.Memory, buf, Math.Min(count, MaximumTransfer)), count > long.MaxValue ? -1 : offset, forWriting: false);

    /// <summary>pwrite64(2)</summary>
    public static partial Blocking<SyscallResult> Pwrite64(Task task, int fd, UserPtr buf, ulong count, long offset) =>
        Positioned(task, fd, new IoBuffer(task.Memory, buf, Math.Min(count, MaximumTransfer)), count > long.MaxValue ? -1 : offset, forWriting: true);

    /// <summary>preadv(2)</summary>
    public static partial Blocking<SyscallResult> Preadv(Task task, int fd, UserPtr iov, int iovcnt, ulong posLow, ulong posHigh) =>
        PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: false);

    /// <summary>pwritev(2)</summary>
    public static partial Blocking<SyscallResult> Pwritev(Task task, int fd, UserPtr iov, int iovcnt, ulong posLow, ulong posHigh) =>
        PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: true);

    /// <summary>preadv2(2)</summary>
    public static partial Blocking<SyscallResult> Preadv2(Task task, int fd, UserPtr iov, int iovcnt, ulong posLow, ulong posHigh, int flags) =>
        (flags & ~(RwfHighPriority | RwfNoWait)) != 0 ? (SyscallResult)Errno.EOPNOTSUPP
        : unchecked((long)posLow) == -1 && (flags & RwfNoWait) == 0 ? Vectored(task, fd, iov, iovcnt, forWriting: false)
        : PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: false, flags);

    /// <summary>pwritev2(2)</summary>
    public static partial Blocking<SyscallResult> Pwritev2(Task task, int fd, UserPtr iov, int iovcnt, ulong posLow, ulong posHigh, int flags) =>
        (flags & ~(RwfHighPriority | RwfDataSync | RwfSync | RwfNoWait | RwfAppend)) != 0 ? (SyscallResult)Errno.EOPNOTSUPP
        : unchecked((long)posLow) == -1 && (flags & ~RwfHighPriority) == 0 ? Vectored(task, fd, iov, iovcnt, forWriting: true)
        : PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: true, flags);

    private static Blocking<SyscallResult> PositionedVector(Task task, int fd, UserPtr iov, int iovcnt, long offset, bool forWriting, int flags = 0)
    {
        Errno error = UserVectors.CopyIn(task, iov, iovcnt, out IoBuffer buffer);
        return error != Errno.None ? (SyscallResult)error
            : flags == 0 || offset < -1 ? Positioned(task, fd, buffer, offset, forWriting)
            : WithFlags(task, fd, buffer, offset, forWriting, flags);
    }

    /// <summary>What RWF_* flags ask for; the offset -1 is the description's own.</summary>
    private static Blocking<SyscallResult> WithFlags(Task task, int fd, IoBuffer buffer, long offset, bool forWriting, int flags)
    {
        Errno error = OpenFor(task, fd, forWriting, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        IoResult result;
        if (offset >= 0 && !file.IsSeekable)
        {
            result = Errno.ESPIPE;
        }
        else if (!forWriting)
        {
            result = FileTransfer.Read(task, file, ref buffer, offset);
        }
        else if ((flags & RwfAppend) != 0 && file.IsSeekable)
        {
            result = FileTransfer.Append(task, file, ref buffer, out long end);
            if (offset < 0 && !result.IsError)
            {
                _ = file.Seek(end, 0);
            }
        }
        else
        {
            result = FileTransfer.Write(task, file, ref buffer, offset);
        }

        if (result.WouldBlock && (flags & RwfNoWait) == 0)
        {
            return ReleaseAfter(forWriting ? BlockingIo.Write(task, file, buffer) : BlockingIo.Read(task, file, buffer), file);
        }

        if (result.Count > 0 && (flags & (RwfSync | RwfDataSync)) != 0 && file.Inode?.Type == FileType.Regular)
        {
            error = file.Sync(dataOnly: (flags & RwfSync) == 0);
            result = error != Errno.None ? error : result;
        }

        file.Unreference();
        return (SyscallResult)result;
    }

    private static SyscallResult Positioned(Task task, int fd, IoBuffer buffer, long offset, bool forWriting)
    {
        if (offset < 0)
        {
            return Errno.EINVAL;
        }

        Errno error = OpenFor(task, fd, forWriting, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        IoResult result = !file.IsSeekable ? Errno.ESPIPE : forWriting ? FileTransfer.Write(task, file, ref buffer, offset) : FileTransfer.Read(task, file, ref buffer, offset);
        file.Unreference();
        return result;
    }
}
