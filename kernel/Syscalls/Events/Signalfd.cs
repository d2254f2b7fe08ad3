// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Signalfd;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>signalfd, signalfd4.</content>
public static partial class Handlers
{
    /// <summary>signalfd(2)</summary>
    public static partial SyscallResult Signalfd(Task task, int fd, UserPtr mask, ulong sizemask) => Signalfd4(task, fd, mask, sizemask, 0);

    /// <summary>signalfd4(2)</summary>
    public static partial SyscallResult Signalfd4(Task task, int fd, UserPtr mask, ulong sizemask, int flags)
    {
        const ulong SetBytes = 8;
        OpenFlags wanted = unchecked((OpenFlags)flags);
        if (sizemask != SetBytes || (wanted & ~(OpenFlags.CloseOnExec | OpenFlags.NonBlock)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(mask, out SignalSet signals);
        if (error != Errno.None)
        {
            return error;
        }

        if (fd == -1)
        {
            return Descriptors.Install(task, new SignalfdDescription(signals, wanted & OpenFlags.NonBlock), (wanted & OpenFlags.CloseOnExec) != 0);
        }

        error = Descriptors.Get(task, fd, Errno.EINVAL, out SignalfdDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        file.Mask = signals;
        file.Unreference();
        return fd;
    }
}
