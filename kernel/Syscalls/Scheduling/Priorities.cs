// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>getpriority, setpriority, ioprio_get, ioprio_set.</content>
public static partial class Handlers
{
    private const int WhichProcess = 0, WhichGroup = 1, WhichUser = 2;
    private const int NiceMinimum = -20, NiceMaximum = 19, NiceBase = 20;
    private const int IoWhichProcess = 1, IoWhichGroup = 2, IoWhichUser = 3, IoClassShift = 13, IoClassRealTime = 1, IoClassIdle = 3, IoDataMask = 0x1fff, IoLevels = 8;

    /// <summary>getpriority(2)</summary>
    public static partial SyscallResult Getpriority(Task task, int which, int who)
    {
        if (which is < WhichProcess or > WhichUser)
        {
            return Errno.EINVAL;
        }

        int best = int.MinValue;
        foreach (Task target in Select(task, which, who))
        {
            best = Math.Max(best, NiceBase - target.Attributes.Nice); // As the kernel says it: 1 to 40, so that no value is an error.
        }

        return best == int.MinValue ? Errno.ESRCH : best;
    }

    /// <summary>setpriority(2)</summary>
    public static partial SyscallResult Setpriority(Task task, int which, int who, int prio)
    {
        if (which is < WhichProcess or > WhichUser)
        {
            return Errno.EINVAL;
        }

        int nice = Math.Clamp(prio, NiceMinimum, NiceMaximum);
        Errno error = Errno.ESRCH;
        foreach (Task target in Select(task, which, who))
        {
            UserCredentials caller = task.Credentials;
            UserCredentials whom = target.Credentials;
            if (whom.RealUid != caller.EffectiveUid && whom.EffectiveUid != caller.EffectiveUid && !caller.Has(Capability.SysNice, whom.UserNamespace))
            {
                error = Errno.EPERM;
                continue;
            }

            ulong floor = target.ThreadGroup.Limits[Resource.Nice].Soft;
            if (nice < target.Attributes.Nice && (ulong)(NiceBase - nice) > floor && !caller.Has(Capability.SysNice))
            {
                error = Errno.EACCES;
                continue;
            }

            target.Attributes.Nice = nice;
            error = error == Errno.ESRCH ? Errno.None : error;
        }

        return error;
    }

    /// <summary>ioprio_get(2)</summary>
    public static partial SyscallResult IoprioGet(Task task, int which, int who)
    {
        if (which is < IoWhichProcess or > IoWhichUser)
        {
            return Errno.EINVAL;
        }

        List<Task> targets = Select(task, which - 1, who);
        return targets.Count == 0 ? Errno.ESRCH : targets[0].Attributes.IoPriority;
    }

    /// <summary>ioprio_set(2)</summary>
    public static partial SyscallResult IoprioSet(Task task, int which, int who, int ioprio)
    {
        int kind = ioprio >> IoClassShift;
        if (which is < IoWhichProcess or > IoWhichUser || kind is < 0 or > IoClassIdle || (kind is not (0 or IoClassIdle) && (ioprio & IoDataMask) >= IoLevels) || (kind == 0 && ioprio != 0))
        {
            return Errno.EINVAL;
        }

        if (kind == IoClassRealTime && !task.Credentials.Has(Capability.SysAdmin) && !task.Credentials.Has(Capability.SysNice))
        {
            return Errno.EPERM;
        }

        List<Task> targets = Select(task, which - 1, who);
        foreach (Task target in targets)
        {
            target.Attributes.IoPriority = ioprio;
        }

        return targets.Count == 0 ? Errno.ESRCH : Errno.None;
    }

    private static List<Task> Select(Task task, int which, int who)
    {
        TaskSet tasks = task.Kernel.Tasks;
        switch (which)
        {
            case WhichProcess:
                Task? one = who == 0 ? task : tasks.FindTask(task.PidNamespace, who);
                return one is null ? [] : [one];
            case WhichGroup:
                ProcessId? group = who == 0 ? task.ThreadGroup.ProcessGroup.Id : tasks.FindId(task.PidNamespace, who);
                return tasks.Threads(task.PidNamespace, t => t.ThreadGroup.ProcessGroup.Id == group);
            default:
                uint uid = task.Credentials.RealUid;
                if (who != 0 && !task.Credentials.UserNamespace.TryFromGuestUid(unchecked((uint)who), out uid))
                {
                    return [];
                }

                return tasks.Threads(task.PidNamespace, t => t.Credentials.RealUid == uid);
        }
    }
}
