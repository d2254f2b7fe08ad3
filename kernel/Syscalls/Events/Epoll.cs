// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Epoll;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>epoll_create, epoll_create1, epoll_ctl, epoll_wait, epoll_pwait, epoll_pwait2.</content>
public static partial class Handlers
{
    private const int EpollCtlAdd = 1, EpollCtlDelete = 2, EpollCtlModify = 3;
    private const int EpollMaximumEvents = int.MaxValue / 12;

    /// <summary>epoll_create(2)</summary>
    public static partial SyscallResult EpollCreate(Task task, int size) => size <= 0 ? Errno.EINVAL : EpollCreate1(task, 0);

    /// <summary>epoll_create1(2)</summary>
    public static partial SyscallResult EpollCreate1(Task task, int flags)
    {
        OpenFlags wanted = unchecked((OpenFlags)flags);
        return (wanted & ~OpenFlags.CloseOnExec) != 0 ? Errno.EINVAL : Descriptors.Install(task, new EpollDescription(), wanted != 0);
    }

    /// <summary>epoll_ctl(2)</summary>
    public static partial SyscallResult EpollCtl(Task task, int epfd, int op, int fd, UserPtr @event)
    {
        EpollEvent wanted = default;
        if (op != EpollCtlDelete)
        {
            Errno error = task.Memory.CopyIn(@event, out wanted);
            if (error != Errno.None)
            {
                return error;
            }
        }

        Errno epollError = Descriptors.Get(task, epfd, out FileDescription file);
        if (epollError != Errno.None)
        {
            return epollError;
        }

        Errno targetError = Descriptors.Get(task, fd, out FileDescription target);
        if (targetError == Errno.None)
        {
            targetError = (file, op) switch
            {
                (_, _) when target.Queue is null => Errno.EPERM,
                (not EpollDescription, _) => Errno.EINVAL,
                (_, _) when target == file => Errno.EINVAL,
                (EpollDescription epoll, EpollCtlAdd) => epoll.Add(target, fd, wanted),
                (EpollDescription epoll, EpollCtlModify) => epoll.Modify(target, fd, wanted),
                (EpollDescription epoll, EpollCtlDelete) => epoll.Delete(target, fd),
                _ => Errno.EINVAL,
            };
            target.Unreference();
        }

        file.Unreference();
        return targetError;
    }

    /// <summary>epoll_wait(2)</summary>
    public static partial Blocking<SyscallResult> EpollWait(Task task, int epfd, UserPtr events, int maxevents, int timeout) =>
        EpollWaitUntil(task, epfd, events, maxevents, timeout, 0);

    /// <summary>epoll_pwait(2)</summary>
    public static partial Blocking<SyscallResult> EpollPwait(Task task, int epfd, UserPtr events, int maxevents, int timeout, UserPtr sigmask, ulong sigsetsize)
    {
        Errno error = TemporaryMask.Begin(task, sigmask, sigsetsize);
        return error != Errno.None ? (SyscallResult)error
            : sigmask.IsNull ? EpollWaitUntil(task, epfd, events, maxevents, timeout, 0)
            : TemporaryMask.End(task, EpollWaitUntil(task, epfd, events, maxevents, timeout, 0));
    }

    /// <summary>epoll_pwait2(2)</summary>
    public static partial Blocking<SyscallResult> EpollPwait2(Task task, int epfd, UserPtr events, int maxevents, UserPtr timeout, UserPtr sigmask, ulong sigsetsize)
    {
        Errno timeError = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        Errno error = timeError != Errno.None ? timeError : TemporaryMask.Begin(task, sigmask, sigsetsize);
        return error != Errno.None ? (SyscallResult)error
            : TemporaryMask.End(task, EpollWaitUntil(task, epfd, events, maxevents, deadlineNs == 0 ? 0 : -1, deadlineNs));
    }

    /// <summary>The fast way first: what is ready is stored without a wait or a clock.</summary>
    private static Blocking<SyscallResult> EpollWaitUntil(Task task, int epfd, UserPtr events, int maxevents, int timeout, long deadlineNs)
    {
        if (maxevents is <= 0 or > EpollMaximumEvents)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, epfd, Errno.EINVAL, out EpollDescription epoll);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        IoResult found = epoll.Collect(task.Memory, events, maxevents);
        if (found.Count > 0 || found.IsError || timeout == 0)
        {
            epoll.Unreference();
            return (SyscallResult)found;
        }

        return EpollWaitLater(task, epoll, events, maxevents, deadlineNs != 0 ? deadlineNs : GuestTime.AfterMilliseconds(timeout));
    }

    private static async Blocking<SyscallResult> EpollWaitLater(Task task, EpollDescription epoll, UserPtr events, int maxevents, long deadlineNs)
    {
        task.PrepareToWait();
        epoll.Queue.Add(task.Waiter, PollEvents.AllIn);
        try
        {
            while (true)
            {
                IoResult found = epoll.Collect(task.Memory, events, maxevents);
                if (found.Count > 0 || found.IsError)
                {
                    return found;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return 0;
                    case BlockOutcome.Interrupted:
                        // epoll is never restarted (signal(7)).
                        return Errno.EINTR;
                }
            }
        }
        finally
        {
            epoll.Queue.Remove(task.Waiter);
            epoll.Unreference();
        }
    }
}
