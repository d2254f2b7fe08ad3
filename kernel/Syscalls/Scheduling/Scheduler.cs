// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>sched_*, getcpu.</content>
public static partial class Handlers
{
    private const int PolicyOther = 0, PolicyFifo = 1, PolicyRoundRobin = 2, PolicyBatch = 3, PolicyIdle = 5, PolicyDeadline = DeadlineParameters.Policy, PolicyResetOnFork = 0x40000000;
    private const int RealTimeMaximum = 99;
    private const ulong SchedFlagResetOnFork = 1, SchedDeadlineFlags = 6;

    // The least runtime that the scheduler can tell from none, and the default bounds of a period (sched_deadline_period_{min,max}_us).
    private const ulong DeadlineRuntimeMinimumNs = 1024, DeadlinePeriodMinimumNs = 100_000, DeadlinePeriodMaximumNs = 4_194_304_000;
    private const uint SchedAttrMinimum = 48;
    private const long RoundRobinIntervalNs = 100_000_000;

    /// <summary>sched_yield(2)</summary>
    public static partial SyscallResult SchedYield(Task task) => SyscallResult.Success;

    /// <summary>sched_getscheduler(2)</summary>
    public static partial SyscallResult SchedGetscheduler(Task task, int pid)
    {
        Errno error = FindScheduled(task, pid, out TaskAttributes attributes);
        return error != Errno.None ? error : attributes.SchedulingPolicy | (attributes.ResetsOnFork ? PolicyResetOnFork : 0);
    }

    /// <summary>sched_setscheduler(2)</summary>
    public static partial SyscallResult SchedSetscheduler(Task task, int pid, int policy, UserPtr param)
    {
        if (param.IsNull)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(param, out int priority);
        if (error != Errno.None)
        {
            return error;
        }

        error = FindScheduled(task, pid, out TaskAttributes attributes);
        return error != Errno.None ? error : SetPolicy(task, attributes, policy & ~PolicyResetOnFork, priority, (policy & PolicyResetOnFork) != 0);
    }

    /// <summary>sched_getparam(2)</summary>
    public static partial SyscallResult SchedGetparam(Task task, int pid, UserPtr param)
    {
        if (param.IsNull)
        {
            return Errno.EINVAL;
        }

        Errno error = FindScheduled(task, pid, out TaskAttributes attributes);
        return error != Errno.None ? error : task.Memory.CopyOut(param, attributes.SchedulingPriority);
    }

    /// <summary>sched_setparam(2)</summary>
    public static partial SyscallResult SchedSetparam(Task task, int pid, UserPtr param)
    {
        if (param.IsNull)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(param, out int priority);
        if (error != Errno.None)
        {
            return error;
        }

        error = FindScheduled(task, pid, out TaskAttributes attributes);
        return error != Errno.None ? error : SetPolicy(task, attributes, attributes.SchedulingPolicy, priority, attributes.ResetsOnFork);
    }

    /// <summary>sched_get_priority_max(2)</summary>
    public static partial SyscallResult SchedGetPriorityMax(Task task, int policy) => policy switch
    {
        PolicyFifo or PolicyRoundRobin => RealTimeMaximum,
        PolicyOther or PolicyBatch or PolicyIdle or PolicyDeadline => 0,
        _ => Errno.EINVAL,
    };

    /// <summary>sched_get_priority_min(2)</summary>
    public static partial SyscallResult SchedGetPriorityMin(Task task, int policy) => policy switch
    {
        PolicyFifo or PolicyRoundRobin => 1,
        PolicyOther or PolicyBatch or PolicyIdle or PolicyDeadline => 0,
        _ => Errno.EINVAL,
    };

    /// <summary>sched_rr_get_interval(2)</summary>
    public static partial SyscallResult SchedRrGetInterval(Task task, int pid, UserPtr tp)
    {
        Errno error = FindScheduled(task, pid, out TaskAttributes attributes);
        return error != Errno.None ? error : task.Memory.CopyOut(tp, GuestTime.FromNs(attributes.SchedulingPolicy is PolicyFifo or PolicyDeadline ? 0 : RoundRobinIntervalNs));
    }

    /// <summary>sched_getattr(2)</summary>
    public static partial SyscallResult SchedGetattr(Task task, int pid, UserPtr attr, uint size, uint flags)
    {
        if (attr.IsNull || size < SchedAttrMinimum || size > MemoryManager.PageSize || flags != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = FindScheduled(task, pid, out TaskAttributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        DeadlineParameters deadline = attributes.SchedulingPolicy == PolicyDeadline ? attributes.Deadline : default;
        return task.Memory.CopyOut(attr, new SchedulingAttributes
        {
            Size = SchedAttrMinimum,
            Policy = attributes.SchedulingPolicy,
            Flags = (attributes.ResetsOnFork ? SchedFlagResetOnFork : 0) | deadline.Flags,
            Nice = attributes.Nice,
            Priority = unchecked((uint)attributes.SchedulingPriority),
            Runtime = deadline.RuntimeNs,
            Deadline = deadline.DeadlineNs,
            Period = deadline.PeriodNs,
        });
    }

    /// <summary>sched_setattr(2)</summary>
    public static partial SyscallResult SchedSetattr(Task task, int pid, UserPtr attr, uint flags)
    {
        if (attr.IsNull || flags != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(attr, out uint size);
        if (error != Errno.None)
        {
            return error;
        }

        SchedulingAttributes wanted = default;
        error = size is not 0 and < SchedAttrMinimum ? Errno.E2BIG : GuestStruct.CopyIn(task.Memory, attr, size == 0 ? SchedAttrMinimum : size, out wanted);
        if (error == Errno.E2BIG)
        {
            _ = task.Memory.CopyOut(attr, SchedAttrMinimum);
        }

        if (error != Errno.None)
        {
            return error;
        }

        error = FindScheduled(task, pid, out TaskAttributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        if (wanted.Policy == PolicyDeadline)
        {
            return SetDeadline(task, attributes, wanted);
        }

        error = SetPolicy(task, attributes, wanted.Policy, unchecked((int)wanted.Priority), (wanted.Flags & SchedFlagResetOnFork) != 0);
        if (error == Errno.None && wanted.Policy is PolicyOther or PolicyBatch)
        {
            attributes.Nice = Math.Clamp(wanted.Nice, NiceMinimum, NiceMaximum);
        }

        return error;
    }

    /// <summary>sched_getaffinity(2)</summary>
    public static partial SyscallResult SchedGetaffinity(Task task, int pid, uint cpusetsize, UserPtr mask)
    {
        const int WordBits = 64;
        int words = (task.Kernel.ProcessorCount + WordBits - 1) / WordBits;
        if (cpusetsize % sizeof(ulong) != 0 || cpusetsize < words * sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        Errno error = FindForAffinity(task, pid, out TaskAttributes attributes);
        for (int i = 0; i < words && error == Errno.None; i++)
        {
            ulong word = Word(task.Kernel.ProcessorCount, i) & (i == 0 ? attributes.Affinity : ulong.MaxValue);
            error = task.Memory.CopyOut(mask.Offset((ulong)i * sizeof(ulong)), word);
        }

        return error != Errno.None ? error : words * sizeof(ulong);
    }

    /// <summary>sched_setaffinity(2)</summary>
    public static partial SyscallResult SchedSetaffinity(Task task, int pid, uint cpusetsize, UserPtr mask)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        Errno error = task.Memory.CopyIn(mask, bytes[..(int)Math.Min(cpusetsize, sizeof(ulong))]);
        if (error != Errno.None)
        {
            return error;
        }

        error = FindForAffinity(task, pid, out TaskAttributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        ulong wanted = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes) & Word(task.Kernel.ProcessorCount, 0);
        if (wanted == 0)
        {
            return Errno.EINVAL;
        }

        attributes.Affinity = wanted;
        return Errno.None;
    }

    /// <summary>getcpu(2)</summary>
    public static partial SyscallResult Getcpu(Task task, UserPtr cpu, UserPtr node, UserPtr tcache)
    {
        // Any processor that the task may run on is a true answer: it may have moved by the time it reads it.
        uint where = (uint)System.Numerics.BitOperations.TrailingZeroCount(task.Attributes.Affinity & Word(task.Kernel.ProcessorCount, 0));
        Errno error = cpu.IsNull ? Errno.None : task.Memory.CopyOut(cpu, where);
        return error != Errno.None || node.IsNull ? error : task.Memory.CopyOut(node, 0U);
    }

    private static ulong Word(int processors, int index)
    {
        int bits = Math.Clamp(processors - (index * 64), 0, 64);
        return bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
    }

    // Unlike the others these two calls look a negative number up, and do not find it.
    private static Errno FindForAffinity(Task task, int pid, out TaskAttributes attributes) =>
        FindScheduled(task, pid, out attributes) is var error && pid < 0 ? Errno.ESRCH : error;

    private static Errno FindScheduled(Task task, int pid, out TaskAttributes attributes)
    {
        Task? target = pid == 0 ? task : pid < 0 ? null : task.Kernel.Tasks.FindTask(task.PidNamespace, pid);
        attributes = (target ?? task).Attributes;
        return pid < 0 ? Errno.EINVAL : target is null ? Errno.ESRCH : Errno.None;
    }

    private static Errno SetPolicy(Task task, TaskAttributes attributes, int policy, int priority, bool resetsOnFork)
    {
        bool isRealTime = policy is PolicyFifo or PolicyRoundRobin;
        if (policy is not (PolicyOther or PolicyFifo or PolicyRoundRobin or PolicyBatch or PolicyIdle) || (isRealTime ? priority is < 1 or > RealTimeMaximum : priority != 0))
        {
            return Errno.EINVAL;
        }

        bool isAllowed = task.Credentials.Has(Capability.SysNice) || (!isRealTime && !(attributes.ResetsOnFork && !resetsOnFork)) ||
            (ulong)priority <= task.ThreadGroup.Limits[Resource.RealTimePriority].Soft;
        if (!isAllowed)
        {
            return Errno.EPERM;
        }

        attributes.SchedulingPolicy = policy;
        attributes.SchedulingPriority = priority;
        attributes.ResetsOnFork = resetsOnFork;
        return Errno.None;
    }

    // __checkparam_dl(); admission control is not: no task is promised its time.
    private static Errno SetDeadline(Task task, TaskAttributes attributes, in SchedulingAttributes wanted)
    {
        ulong period = wanted.Period != 0 ? wanted.Period : wanted.Deadline;
        bool isValid = wanted.Priority == 0 && wanted.Deadline != 0 && wanted.Runtime >= DeadlineRuntimeMinimumNs && wanted.Runtime <= wanted.Deadline &&
            wanted.Deadline <= period && period is >= DeadlinePeriodMinimumNs and <= DeadlinePeriodMaximumNs;
        if (!isValid)
        {
            return Errno.EINVAL;
        }

        if (!task.Credentials.Has(Capability.SysNice))
        {
            return Errno.EPERM;
        }

        attributes.Deadline = new DeadlineParameters(wanted.Runtime, wanted.Deadline, period, wanted.Flags & SchedDeadlineFlags);
        attributes.SchedulingPolicy = PolicyDeadline;
        attributes.SchedulingPriority = 0;
        attributes.ResetsOnFork = (wanted.Flags & SchedFlagResetOnFork) != 0;
        return Errno.None;
    }

    /// <summary>struct sched_attr, its first version.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(48)]
    private struct SchedulingAttributes
    {
        internal uint Size;
        internal int Policy;
        internal ulong Flags;
        internal int Nice;
        internal uint Priority;
        internal ulong Runtime, Deadline, Period;
    }
}
