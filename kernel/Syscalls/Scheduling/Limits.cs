// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Syscalls;

/// <content>getrlimit, setrlimit, prlimit64, getrusage.</content>
public static partial class Handlers
{
    private const int UsageSelf = 0, UsageChildren = -1, UsageThread = 1;

    /// <summary>getrlimit(2)</summary>
    public static partial SyscallResult Getrlimit(Task task, int resource, UserPtr rlim) =>
        resource is < 0 or >= (int)Resource.Count ? Errno.EINVAL : task.Memory.CopyOut(rlim, task.ThreadGroup.Limits[(Resource)resource]);

    /// <summary>setrlimit(2)</summary>
    public static partial SyscallResult Setrlimit(Task task, int resource, UserPtr rlim)
    {
        Errno error = task.Memory.CopyIn(rlim, out ResourceLimit wanted);
        return error != Errno.None ? error : SetLimit(task, task.ThreadGroup, resource, wanted);
    }

    /// <summary>prlimit64(2)</summary>
    public static partial SyscallResult Prlimit64(Task task, int pid, int resource, UserPtr newLimit, UserPtr oldLimit)
    {
        if (resource is < 0 or >= (int)Resource.Count)
        {
            return Errno.EINVAL;
        }

        ResourceLimit wanted = default;
        if (!newLimit.IsNull)
        {
            Errno copied = task.Memory.CopyIn(newLimit, out wanted);
            if (copied != Errno.None)
            {
                return copied;
            }
        }

        Task? target = pid == 0 ? task : task.Kernel.Tasks.FindTask(task.PidNamespace, pid);
        if (target is null)
        {
            return Errno.ESRCH;
        }

        if (target != task && !MayLimit(task.Credentials, target.Credentials))
        {
            return Errno.EPERM;
        }

        ResourceLimit old = target.ThreadGroup.Limits[(Resource)resource];
        if (!newLimit.IsNull)
        {
            Errno error = SetLimit(task, target.ThreadGroup, resource, wanted);
            if (error != Errno.None)
            {
                return error;
            }
        }

        return oldLimit.IsNull ? Errno.None : task.Memory.CopyOut(oldLimit, old);
    }

    /// <summary>getrusage(2)</summary>
    public static partial SyscallResult Getrusage(Task task, int who, UserPtr usage)
    {
        ResourceUsage? found = who switch
        {
            UsageSelf => task.ThreadGroup.Usage,
            UsageChildren => task.ThreadGroup.ChildrenUsage,
            UsageThread => task.ThreadGroup.Usage with { Time = task.ProcessorTime },
            _ => null,
        };
        return found is { } value ? task.Memory.CopyOut(usage, GuestUsage.From(value)) : Errno.EINVAL;
    }

    private static bool MayLimit(UserCredentials who, UserCredentials whom)
    {
        bool isSame = who.RealUid == whom.EffectiveUid && who.RealUid == whom.SavedUid && who.RealUid == whom.RealUid &&
            who.RealGid == whom.EffectiveGid && who.RealGid == whom.SavedGid && who.RealGid == whom.RealGid;
        return isSame || who.Has(Capability.SysResource, whom.UserNamespace);
    }

    private static Errno SetLimit(Task task, ThreadGroup target, int resource, ResourceLimit wanted)
    {
        if (resource is < 0 or >= (int)Resource.Count || wanted.Soft > wanted.Hard)
        {
            return Errno.EINVAL;
        }

        Resource which = (Resource)resource;
        if (which == Resource.OpenFiles && wanted.Hard > ResourceLimits.MaximumOpenFiles)
        {
            return Errno.EPERM;
        }

        if (wanted.Hard > target.Limits[which].Hard && !task.Credentials.Has(Capability.SysResource))
        {
            return Errno.EPERM;
        }

        target.Limits[which] = wanted;
        MemoryManager memory = target.Leader.Memory;
        switch (which)
        {
            case Resource.Stack:
                memory.StackLimitBytes = wanted.Soft;
                break;
            case Resource.AddressSpace:
                memory.AddressSpaceLimitBytes = wanted.Soft;
                break;
            case Resource.Data:
                memory.DataLimitBytes = wanted.Soft;
                break;
            case Resource.Cpu:
                target.ApplyCpuLimit();
                break;
        }

        return Errno.None;
    }
}
