// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>nanosleep, clock_nanosleep.</content>
public static partial class Handlers
{
    private const int TimerAbsolute = 1;

    /// <summary>nanosleep(2)</summary>
    public static partial Blocking<SyscallResult> Nanosleep(Task task, UserPtr request, UserPtr remain) =>
        ClockNanosleep(task, ClockTable.Monotonic, 0, request, remain);

    /// <summary>clock_nanosleep(2)</summary>
    public static partial Blocking<SyscallResult> ClockNanosleep(Task task, int clockid, int flags, UserPtr request, UserPtr remain)
    {
        CpuClock? cpu = null;
        if (clockid == ClockTable.ThreadCpu)
        {
            return (SyscallResult)Errno.EOPNOTSUPP;
        }

        if (!ClockTable.IsWall(clockid))
        {
            Errno clockError = ClockTable.FindCpuClock(task, clockid, out cpu);
            if (clockError != Errno.None || cpu!.Thread == task)
            {
                return (SyscallResult)Errno.EINVAL; // A thread that sleeps uses no time of its own.
            }
        }
        else if (clockid is ClockTable.MonotonicRaw or ClockTable.RealtimeCoarse or ClockTable.MonotonicCoarse)
        {
            return (SyscallResult)Errno.EOPNOTSUPP;
        }
        else if (clockid is ClockTable.RealtimeAlarm or ClockTable.BootTimeAlarm && !task.Credentials.Has(Capability.WakeAlarm))
        {
            return (SyscallResult)Errno.EPERM;
        }

        Errno error = task.Memory.CopyIn(request, out GuestTimespec time);
        if (error != Errno.None || (error = GuestTime.ToNs(time, out long ns)) != Errno.None)
        {
            return (SyscallResult)error;
        }

        bool isAbsolute = (flags & TimerAbsolute) != 0;
        long now = cpu?.Now ?? KernelClock.MonotonicNs;
        long deadlineNs = isAbsolute ? (cpu is null ? ClockTable.ToMonotonic(clockid, ns) : ns) : ns >= long.MaxValue - now ? long.MaxValue - 1 : now + ns;
        return Sleep(task, cpu, deadlineNs, isAbsolute ? null : remain);
    }

    /// <summary>Sleeps until a time.</summary>
    /// <param name="task">The task.</param>
    /// <param name="cpu">The processor time that the deadline is on; null for the monotonic clock.</param>
    /// <param name="deadlineNs">The time.</param>
    /// <param name="remain">Where a relative sleep that is cut short stores the rest; null for an absolute one.</param>
    private static async Blocking<SyscallResult> Sleep(Task task, CpuClock? cpu, long deadlineNs, UserPtr? remain)
    {
        while (true)
        {
            task.PrepareToWait();
            BlockOutcome outcome = await task.Block(cpu?.EarliestMonotonic(deadlineNs) ?? deadlineNs);
            long left = deadlineNs - (cpu?.Now ?? KernelClock.MonotonicNs);
            if (left <= 0)
            {
                return Errno.None;
            }

            if (outcome != BlockOutcome.Interrupted)
            {
                continue;
            }

            if (remain is not { } rest)
            {
                return SyscallResult.Restarts(Restart.IfNoHandler);
            }

            Errno error = rest.IsNull ? Errno.None : task.Memory.CopyOut(rest, GuestTime.FromNs(left));
            if (error != Errno.None)
            {
                return error;
            }

            task.RestartBlock = new SleepRestart(cpu, deadlineNs, rest);
            return SyscallResult.Restarts(Restart.ByRestartBlock);
        }
    }

    private sealed class SleepRestart(CpuClock? cpu, long deadlineNs, UserPtr remain) : RestartBlock
    {
        public override Blocking<SyscallResult> Continue(Task task) => Sleep(task, cpu, deadlineNs, remain);
    }
}
