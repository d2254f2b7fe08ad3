// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>close, close_range.</content>
public static partial class Handlers
{
    /// <summary>close(2)</summary>
    public static partial Blocking<SyscallResult> Close(Task task, int fd) =>
        (SyscallResult)(task.Descriptors.Remove(fd) is { } file ? task.Descriptors.Close(file, task) : Errno.EBADF);

    /// <summary>close_range(2)</summary>
    public static partial SyscallResult CloseRange(Task task, uint first, uint last, uint flags)
    {
        const uint Unshare = 2, CloseOnExec = 4;
        if ((flags & ~(Unshare | CloseOnExec)) != 0 || first > last)
        {
            return Errno.EINVAL;
        }

        if ((flags & Unshare) != 0)
        {
            task.UnshareDescriptors();
        }

        FdTable table = task.Descriptors;
        foreach (int fd in table.OpenNumbers(first, last))
        {
            if ((flags & CloseOnExec) != 0)
            {
                _ = table.SetCloseOnExec(fd, true);
            }
            else if (table.Remove(fd) is { } file)
            {
                _ = table.Close(file, task);
            }
        }

        return SyscallResult.Success;
    }
}
