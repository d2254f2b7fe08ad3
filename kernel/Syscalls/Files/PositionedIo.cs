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
        : unchecked((long)posLow) == -1 ? Vectored(task, fd, iov, iovcnt, forWriting: false)
        : PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: false);

    /// <summary>pwritev2(2)</summary>
    public static partial Blocking<SyscallResult> Pwritev2(Task task, int fd, UserPtr iov, int iovcnt, ulong posLow, ulong posHigh, int flags) =>
        (flags & ~(RwfHighPriority | RwfDataSync | RwfSync)) != 0 ? (SyscallResult)Errno.EOPNOTSUPP
        : unchecked((long)posLow) == -1 ? Vectored(task, fd, iov, iovcnt, forWriting: true)
        : PositionedVector(task, fd, iov, iovcnt, unchecked((long)posLow), forWriting: true);

    private static Blocking<SyscallResult> PositionedVector(Task task, int fd, UserPtr iov, int iovcnt, long offset, bool forWriting)
    {
        Errno error = UserVectors.CopyIn(task, iov, iovcnt, out IoBuffer buffer);
        return error != Errno.None ? (SyscallResult)error : Positioned(task, fd, buffer, offset, forWriting);
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

        IoResult result = !file.IsSeekable ? Errno.ESPIPE : forWriting ? file.WriteAt(task, ref buffer, offset) : file.ReadAt(task, ref buffer, offset);
        file.Unreference();
        return result;
    }
}
