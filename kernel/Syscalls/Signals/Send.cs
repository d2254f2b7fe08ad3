// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, pidfd_open.</content>
public static partial class Handlers
{
    /// <summary>kill(2)</summary>
    public static partial SyscallResult Kill(Task task, int pid, int sig) =>
        sig is < 0 or > SignalNumber.Last ? Errno.EINVAL : SignalSender.Kill(task, pid, sig);

    /// <summary>tkill(2)</summary>
    public static partial SyscallResult Tkill(Task task, int tid, int sig) =>
        tid <= 0 || sig is < 0 or > SignalNumber.Last ? Errno.EINVAL : SignalSender.KillThread(task, 0, tid, sig);

    /// <summary>tgkill(2)</summary>
    public static partial SyscallResult Tgkill(Task task, int tgid, int tid, int sig) =>
        tgid <= 0 || tid <= 0 || sig is < 0 or > SignalNumber.Last ? Errno.EINVAL : SignalSender.KillThread(task, tgid, tid, sig);

    /// <summary>rt_sigqueueinfo(2)</summary>
    public static partial SyscallResult RtSigqueueinfo(Task task, int pid, int sig, UserPtr info) =>
        QueueSignal(task, pid, 0, sig, info);

    /// <summary>rt_tgsigqueueinfo(2)</summary>
    public static partial SyscallResult RtTgsigqueueinfo(Task task, int tgid, int tid, int sig, UserPtr info) =>
        tgid <= 0 || tid <= 0 ? Errno.EINVAL : QueueSignal(task, tgid, tid, sig, info);

    /// <summary>pidfd_open(2)</summary>
    public static partial SyscallResult PidfdOpen(Task task, int pid, int flags)
    {
        OpenFlags wanted = unchecked((OpenFlags)flags);
        if ((wanted & ~OpenFlags.NonBlock) != 0 || pid <= 0)
        {
            return Errno.EINVAL;
        }

        ProcessId? id = task.Kernel.Tasks.FindId(task.PidNamespace, pid);
        if (id is null)
        {
            return Errno.ESRCH;
        }

        if (task.Kernel.Tasks.FindProcess(task.PidNamespace, pid) is not { } process)
        {
            return task.Kernel.Tasks.FindTask(task.PidNamespace, pid) is null ? Errno.ESRCH : Errno.EINVAL; // EINVAL: a thread that leads no process.
        }

        PidFd file = new(process, OpenFlags.ReadWrite | wanted);
        Errno error = task.Descriptors.Install(file, closeOnExec: true, task.FileLimit, out int fd);
        if (error != Errno.None)
        {
            file.Unreference();
            return error;
        }

        return fd;
    }

    /// <summary>pidfd_send_signal(2)</summary>
    public static partial SyscallResult PidfdSendSignal(Task task, int pidfd, int sig, UserPtr info, uint flags)
    {
        if (flags != 0 || sig is < 0 or > SignalNumber.Last)
        {
            return Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, pidfd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        error = Errno.EBADF;
        if ((file is PidFd pidFd ? pidFd.Process : (file.Inode as IProcessDirectory)?.Process) is { } process)
        {
            SignalInfo? given = null;
            error = Errno.None;
            if (!info.IsNull)
            {
                error = SignalInfo.CopyIn(task.Memory, info, out SignalInfo read);
                error = error == Errno.None && read.Signal != sig ? Errno.EINVAL : error;
                given = read;
            }

            if (error == Errno.None)
            {
                error = SignalSender.Send(task, process, sig, given);
            }
        }

        file.Unreference();
        return error;
    }

    private static SyscallResult QueueSignal(Task task, int process, int tid, int signal, UserPtr source)
    {
        Errno error = SignalInfo.CopyIn(task.Memory, source, out SignalInfo info);
        if (error != Errno.None)
        {
            return error;
        }

        if (signal is < 0 or > SignalNumber.Last)
        {
            return Errno.EINVAL;
        }

        info.Signal = signal;
        return SignalSender.Queue(task, process, tid, info);
    }
}
