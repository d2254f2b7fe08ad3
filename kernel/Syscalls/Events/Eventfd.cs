// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Eventfd;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>eventfd, eventfd2.</content>
public static partial class Handlers
{
    private const int EfdSemaphore = 1;

    /// <summary>eventfd(2)</summary>
    public static partial SyscallResult Eventfd(Task task, uint initval) => Eventfd2(task, initval, 0);

    /// <summary>eventfd2(2)</summary>
    public static partial SyscallResult Eventfd2(Task task, uint initval, int flags)
    {
        if ((flags & ~(int)(EfdSemaphore | (int)OpenFlags.CloseOnExec | (int)OpenFlags.NonBlock)) != 0)
        {
            return Errno.EINVAL;
        }

        OpenFlags wanted = unchecked((OpenFlags)flags);
        EventfdDescription file = new(initval, (flags & EfdSemaphore) != 0, wanted & OpenFlags.NonBlock);
        return Descriptors.Install(task, file, (wanted & OpenFlags.CloseOnExec) != 0);
    }
}
