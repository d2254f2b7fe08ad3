// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls.Support;

/// <summary>Descriptor numbers and the descriptions behind them, for handlers.</summary>
internal static class Descriptors
{
    /// <summary>Finds a description, with a reference that the caller gives back.</summary>
    /// <returns>None, or EBADF when the number is not open (or was opened with O_PATH).</returns>
    internal static Errno Get(Task task, int fd, out FileDescription file)
    {
        FileDescription? found = task.Descriptors.Get(fd);
        file = found!;
        if (found is null)
        {
            return Errno.EBADF;
        }

        if ((found.Flags & OpenFlags.Path) != 0)
        {
            found.Unreference();
            return Errno.EBADF;
        }

        return Errno.None;
    }

    /// <summary>Finds a description of a kind, with a reference that the caller gives back.</summary>
    /// <param name="task">Whose descriptors.</param>
    /// <param name="fd">The number.</param>
    /// <param name="otherKind">The error for another kind (EINVAL, ENOTSOCK).</param>
    /// <param name="file">The description.</param>
    internal static Errno Get<T>(Task task, int fd, Errno otherKind, out T file)
        where T : FileDescription
    {
        Errno error = Get(task, fd, out FileDescription found);
        file = (found as T)!;
        if (error == Errno.None && file is null)
        {
            found.Unreference();
            return otherKind;
        }

        return error;
    }

    /// <summary>Gives a new description the lowest free number. Takes the reference over, also when it fails.</summary>
    /// <returns>The number, or EMFILE.</returns>
    internal static SyscallResult Install(Task task, FileDescription file, bool closeOnExec)
    {
        Errno error = task.Descriptors.Install(file, closeOnExec, task.FileLimit, out int fd);
        if (error != Errno.None)
        {
            file.Unreference();
            return error;
        }

        return fd;
    }

    /// <summary>Gives two new descriptions numbers and stores them in guest memory. Takes the references over, also when it fails.</summary>
    /// <returns>None, EMFILE or EFAULT; in a failure no number stays.</returns>
    internal static Errno InstallPair(Task task, FileDescription first, FileDescription second, bool closeOnExec, UserPtr numbers)
    {
        FdTable table = task.Descriptors;
        Errno error = table.Install(first, closeOnExec, task.FileLimit, out int firstFd);
        if (error != Errno.None)
        {
            first.Unreference();
            second.Unreference();
            return error;
        }

        error = table.Install(second, closeOnExec, task.FileLimit, out int secondFd);
        if (error == Errno.None)
        {
            error = task.Memory.CopyOut(numbers, unchecked((ulong)(uint)firstFd | ((ulong)(uint)secondFd << 32)));
            if (error == Errno.None)
            {
                return Errno.None;
            }

            table.Remove(secondFd)?.Unreference();
        }
        else
        {
            second.Unreference();
        }

        table.Remove(firstFd)?.Unreference();
        return error;
    }

    /// <summary>Gives a reference back once a call is through.</summary>
    internal static Blocking<SyscallResult> Release(Blocking<SyscallResult> call, FileDescription file)
    {
        if (!call.IsCompleted)
        {
            return ReleaseLater(call, file);
        }

        SyscallResult result = call.Take();
        file.Unreference();
        return result;
    }

    private static async Blocking<SyscallResult> ReleaseLater(Blocking<SyscallResult> call, FileDescription file)
    {
        SyscallResult result = await call;
        file.Unreference();
        return result;
    }
}
