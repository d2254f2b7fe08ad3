// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;

namespace CVisor.Core.Credentials;

/// <summary>Whether a task may look into another, or change it (ptrace(2), "Ptrace access mode checking").</summary>
public static class TaskAccess
{
    /// <summary>PTRACE_MODE_READ with the file-access ids (/proc, get_robust_list); the same process always may.</summary>
    public static bool MayInspect(Task task, Task target) => MayAccess(task, target, task.Credentials.FileUid, task.Credentials.FileGid);

    /// <summary>PTRACE_MODE_ATTACH with the real ids (process_vm_writev).</summary>
    public static bool MayAttach(Task task, Task target) => MayAccess(task, target, task.Credentials.RealUid, task.Credentials.RealGid);

    private static bool MayAccess(Task task, Task target, uint uid, uint gid)
    {
        if (task.ThreadGroup == target.ThreadGroup)
        {
            return true;
        }

        UserCredentials whom = target.Credentials;
        bool isSame = uid == whom.EffectiveUid && uid == whom.RealUid && uid == whom.SavedUid && gid == whom.EffectiveGid && gid == whom.RealGid && gid == whom.SavedGid;
        bool hasCapability = task.Credentials.Has(Capability.SysPtrace, whom.UserNamespace);
        if (!isSame && !hasCapability)
        {
            return false;
        }

        if (target.Memory.Dumpable != 1 && !hasCapability)
        {
            return false;
        }

        bool isWithin = whom.UserNamespace == task.Credentials.UserNamespace && (whom.Permitted & ~task.Credentials.Permitted).IsEmpty;
        return isWithin || hasCapability;
    }
}
