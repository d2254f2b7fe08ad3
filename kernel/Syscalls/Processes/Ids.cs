// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>getpid, gettid, getppid, getpgid, getpgrp, setpgid, getsid, setsid, set_tid_address.</content>
public static partial class Handlers
{
    /// <summary>getpid(2)</summary>
    public static partial SyscallResult Getpid(Task task) => task.ThreadGroup.Leader.Id.Local;

    /// <summary>gettid(2)</summary>
    public static partial SyscallResult Gettid(Task task) => task.Id.Local;

    /// <summary>getppid(2)</summary>
    public static partial SyscallResult Getppid(Task task) => task.Kernel.Tasks.ParentPid(task);

    /// <summary>getpgrp(2)</summary>
    public static partial SyscallResult Getpgrp(Task task) => Getpgid(task, 0);

    /// <summary>getpgid(2)</summary>
    public static partial SyscallResult Getpgid(Task task, int pid) =>
        task.Kernel.Tasks.TryGetGroup(task, pid, out int group, out _) ? group : Errno.ESRCH;

    /// <summary>getsid(2)</summary>
    public static partial SyscallResult Getsid(Task task, int pid) =>
        task.Kernel.Tasks.TryGetGroup(task, pid, out _, out int session) ? session : Errno.ESRCH;

    /// <summary>setpgid(2)</summary>
    public static partial SyscallResult Setpgid(Task task, int pid, int pgid) => task.Kernel.Tasks.SetProcessGroup(task, pid, pgid);

    /// <summary>setsid(2)</summary>
    public static partial SyscallResult Setsid(Task task)
    {
        Errno error = task.Kernel.Tasks.CreateSession(task);
        return error == Errno.None ? task.ThreadGroup.Leader.Id.Local : error;
    }

    /// <summary>set_tid_address(2)</summary>
    public static partial SyscallResult SetTidAddress(Task task, UserPtr tidptr)
    {
        task.ClearChildTid = tidptr;
        return task.Id.Local;
    }
}
