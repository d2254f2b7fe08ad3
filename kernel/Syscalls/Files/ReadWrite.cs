// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>read, write, readv, writev, lseek.</content>
public static partial class Handlers
{
    /// <summary>The most that one call transfers (MAX_RW_COUNT).</summary>
    private const ulong MaximumTransfer = 0x7ffff000;

    /// <summary>read(2)</summary>
    public static partial Blocking<SyscallResult> Read(Task task, int fd, UserPtr buf, ulong count) =>
        OneBuffer(task, fd, buf, count, forWriting: false);

    /// <summary>write(2)</summary>
    public static partial Blocking<SyscallResult> Write(Task task, int fd, UserPtr buf, ulong count) =>
        OneBuffer(task, fd, buf, count, forWriting: true);

    /// <summary>readv(2)</summary>
    public static partial Blocking<SyscallResult> Readv(Task task, int fd, UserPtr iov, int iovcnt) =>
        Vectored(task, fd, iov, iovcnt, forWriting: false);

    /// <summary>writev(2)</summary>
    public static partial Blocking<SyscallResult> Writev(Task task, int fd, UserPtr iov, int iovcnt) =>
        Vectored(task, fd, iov, iovcnt, forWriting: true);

    /// <summary>lseek(2)</summary>
    public static partial SyscallResult Lseek(Task task, int fd, long offset, int whence)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        IoResult result = whence is < 0 or > 4 ? Errno.EINVAL : file.Seek(offset, whence);
        file.Unreference();
        return result;
    }

    private static Blocking<SyscallResult> OneBuffer(Task task, int fd, UserPtr buf, ulong count, bool forWriting)
    {
        Errno error = OpenFor(task, fd, forWriting, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (count > long.MaxValue)
        {
            file.Unreference();
            return (SyscallResult)Errno.EINVAL;
        }

        IoBuffer buffer = new(task.Memory, buf, Math.Min(count, MaximumTransfer));
        return ReleaseAfter(forWriting ? BlockingIo.Write(task, file, buffer) : BlockingIo.Read(task, file, buffer), file);
    }

    private static Blocking<SyscallResult> Vectored(Task task, int fd, UserPtr iov, int iovcnt, bool forWriting)
    {
        Errno error = OpenFor(task, fd, forWriting, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = UserVectors.CopyIn(task, iov, iovcnt, out IoBuffer buffer);
        if (error != Errno.None)
        {
            file.Unreference();
            return (SyscallResult)error;
        }

        return ReleaseAfter(forWriting ? BlockingIo.Write(task, file, buffer) : BlockingIo.Read(task, file, buffer), file);
    }

    private static Errno OpenFor(Task task, int fd, bool forWriting, out FileDescription file)
    {
        Errno error = Descriptors.Get(task, fd, out file);
        if (error == Errno.None && !(forWriting ? file.IsWritable : file.IsReadable))
        {
            file.Unreference();
            return Errno.EBADF;
        }

        return error;
    }

    private static Blocking<SyscallResult> ReleaseAfter(Blocking<SyscallResult> work, FileDescription file)
    {
        if (!work.IsCompleted)
        {
            return ReleaseLater(work, file);
        }

        file.Unreference();
        return work;
    }

    private static async Blocking<SyscallResult> ReleaseLater(Blocking<SyscallResult> work, FileDescription file)
    {
        try
        {
            return await work;
        }
        finally
        {
            file.Unreference();
        }
    }
}
