// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Timerfd;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>timerfd_create, timerfd_settime, timerfd_gettime.</content>
public static partial class Handlers
{
    private const int TfdAbsoluteTime = 1, TfdCancelOnSet = 2;

    /// <summary>timerfd_create(2)</summary>
    public static partial SyscallResult TimerfdCreate(Task task, int clockid, int flags)
    {
        const int Realtime = 0, Monotonic = 1, BootTime = 7, RealtimeAlarm = 8, BootTimeAlarm = 9;
        OpenFlags wanted = unchecked((OpenFlags)flags);
        if ((wanted & ~(OpenFlags.CloseOnExec | OpenFlags.NonBlock)) != 0 ||
            clockid is not (Realtime or Monotonic or BootTime or RealtimeAlarm or BootTimeAlarm))
        {
            return Errno.EINVAL;
        }

        if (clockid is RealtimeAlarm or BootTimeAlarm && !task.Credentials.Has(Capability.WakeAlarm))
        {
            return Errno.EPERM;
        }

        TimerfdDescription file = new(task.Kernel.Timers, clockid is Realtime or RealtimeAlarm, wanted & OpenFlags.NonBlock);
        return Descriptors.Install(task, file, (wanted & OpenFlags.CloseOnExec) != 0);
    }

    /// <summary>timerfd_settime(2)</summary>
    public static partial SyscallResult TimerfdSettime(Task task, int fd, int flags, UserPtr newValue, UserPtr oldValue)
    {
        Errno error = task.Memory.CopyIn(newValue, out GuestItimerspec setting);
        if (error != Errno.None)
        {
            return error;
        }

        Errno valueError = GuestTime.ToNs(setting.Value, out long valueNs);
        Errno intervalError = GuestTime.ToNs(setting.Interval, out long intervalNs);
        if ((flags & ~(TfdAbsoluteTime | TfdCancelOnSet)) != 0 || valueError != Errno.None || intervalError != Errno.None)
        {
            return Errno.EINVAL;
        }

        error = Descriptors.Get(task, fd, Errno.EINVAL, out TimerfdDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        file.Set(valueNs, intervalNs, (flags & TfdAbsoluteTime) != 0, out long oldRemainingNs, out long oldIntervalNs);
        file.Unreference();
        return oldValue.IsNull ? Errno.None : task.Memory.CopyOut(oldValue, new GuestItimerspec(GuestTime.FromNs(oldIntervalNs), GuestTime.FromNs(oldRemainingNs)));
    }

    /// <summary>timerfd_gettime(2)</summary>
    public static partial SyscallResult TimerfdGettime(Task task, int fd, UserPtr currValue)
    {
        Errno error = Descriptors.Get(task, fd, Errno.EINVAL, out TimerfdDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        file.Get(out long remainingNs, out long intervalNs);
        file.Unreference();
        return task.Memory.CopyOut(currValue, new GuestItimerspec(GuestTime.FromNs(intervalNs), GuestTime.FromNs(remainingNs)));
    }
}
