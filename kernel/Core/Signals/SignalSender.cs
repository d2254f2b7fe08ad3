// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Core.Signals;

/// <summary>Signals from one process to another: whom they reach, and whether they may (kill(2), credentials(7)).</summary>
public static class SignalSender
{
    /// <summary>kill(2): to a process, a process group (negative; 0 for the caller's own) or all (-1).</summary>
    /// <param name="sender">Who.</param>
    /// <param name="pid">Whom, as kill(2) takes it.</param>
    /// <param name="signal">0 only asks whether it could be sent.</param>
    public static Errno Kill(Task sender, int pid, int signal)
    {
        if (pid == int.MinValue)
        {
            return Errno.ESRCH;
        }

        TaskSet tasks = sender.Kernel.Tasks;
        lock (tasks.Lock)
        {
            PidNamespace ns = sender.PidNamespace;
            if (pid > 0)
            {
                return ns.FindLocked(pid)?.Task is { } task ? SendLocked(sender, task.ThreadGroup, signal) : Errno.ESRCH;
            }

            if (pid == -1)
            {
                List<ThreadGroup> all = [];
                foreach (ProcessId id in ns.IdsLocked)
                {
                    if (id.Task is { } task && task == task.ThreadGroup.Leader && task.ThreadGroup != sender.ThreadGroup && id.NumberIn(ns) != 1)
                    {
                        all.Add(task.ThreadGroup);
                    }
                }

                return SendToAllLocked(sender, all, signal);
            }

            ProcessGroup? group = pid == 0 ? sender.ThreadGroup.ProcessGroup : ns.FindLocked(-pid)?.Group;
            return group is null ? Errno.ESRCH : SendToAllLocked(sender, [.. group.Members], signal);
        }
    }

    /// <summary>tkill(2) and tgkill(2): to one thread.</summary>
    /// <param name="sender">Who.</param>
    /// <param name="process">The process that the thread must belong to; 0 for any.</param>
    /// <param name="tid">The thread.</param>
    /// <param name="signal">0 only asks whether it could be sent.</param>
    public static Errno KillThread(Task sender, int process, int tid, int signal)
    {
        lock (sender.Kernel.Tasks.Lock)
        {
            Task? task = sender.PidNamespace.FindLocked(tid)?.Task;
            if (task is null || (process > 0 && task.ThreadGroup.PidIn(sender.PidNamespace) != process))
            {
                return Errno.ESRCH;
            }

            Errno error = CheckLocked(sender, task.ThreadGroup, signal);
            if (error != Errno.None || signal == 0)
            {
                return error;
            }

            return task.ThreadGroup.SendLocked(InfoFor(sender, task.ThreadGroup, signal, SignalInfo.SI_TKILL), task, IsFromOutside(sender, task.ThreadGroup));
        }
    }

    /// <summary>A signal to a process that is held by a descriptor (pidfd_send_signal), with the caller's own siginfo_t or none.</summary>
    public static Errno Send(Task sender, ThreadGroup target, int signal, SignalInfo? info)
    {
        lock (sender.Kernel.Tasks.Lock)
        {
            if (target.IsDead)
            {
                return Errno.ESRCH;
            }

            if (info is { } given && !MayPretend(given, target == sender.ThreadGroup))
            {
                return Errno.EPERM;
            }

            return info is null ? SendLocked(sender, target, signal) : SendInfoLocked(sender, target, null, info.Value);
        }
    }

    /// <summary>rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2): the caller's own siginfo_t.</summary>
    /// <param name="sender">Who.</param>
    /// <param name="process">The process.</param>
    /// <param name="tid">The thread, or 0 for the process as a whole.</param>
    /// <param name="info">The signal.</param>
    public static Errno Queue(Task sender, int process, int tid, in SignalInfo info)
    {
        lock (sender.Kernel.Tasks.Lock)
        {
            Task? task = sender.PidNamespace.FindLocked(tid == 0 ? process : tid)?.Task;
            if (task is null || (tid != 0 && task.ThreadGroup.PidIn(sender.PidNamespace) != process))
            {
                return Errno.ESRCH;
            }

            bool toSelf = tid == 0 ? task.ThreadGroup == sender.ThreadGroup : task == sender;
            return MayPretend(info, toSelf) ? SendInfoLocked(sender, task.ThreadGroup, tid == 0 ? null : task, info) : Errno.EPERM;
        }
    }

    /// <summary>Tells the owner of an open file of an event (send_sigio()): SIGIO, or the signal that it chose, which says what and where.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="owner">Whom, and with which signal.</param>
    /// <param name="code">POLL_IN and its like (si_code).</param>
    /// <param name="band">The events as poll(2) has them (si_band).</param>
    /// <param name="fd">The descriptor (si_fd).</param>
    public static void Notify(Kernel kernel, AsyncOwner owner, int code, ulong band, int fd)
    {
        if (owner.Namespace is not { } ns || owner.Pid == 0)
        {
            return;
        }

        lock (kernel.Tasks.Lock)
        {
            switch (owner.Kind)
            {
                case AsyncOwnerKind.Thread when ns.FindLocked(owner.Pid)?.Task is { } thread:
                    NotifyLocked(owner, thread.ThreadGroup, thread, code, band, fd);
                    break;
                case AsyncOwnerKind.Process when TaskSet.FindProcessLocked(ns, owner.Pid) is { } process:
                    NotifyLocked(owner, process, null, code, band, fd);
                    break;
                case AsyncOwnerKind.ProcessGroup when ns.FindLocked(owner.Pid)?.Group is { } group:
                    foreach (ThreadGroup member in group.Members)
                    {
                        NotifyLocked(owner, member, null, code, band, fd);
                    }

                    break;
            }
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private static void NotifyLocked(AsyncOwner owner, ThreadGroup target, Task? only, int code, ulong band, int fd)
    {
        const int Sigio = 29;
        UserCredentials who = owner.Sender;
        UserCredentials whom = target.Leader.Credentials;
        bool isSame = who.EffectiveUid == whom.SavedUid || who.EffectiveUid == whom.RealUid || who.RealUid == whom.SavedUid || who.RealUid == whom.RealUid;
        if (who.EffectiveUid != 0 && !isSame)
        {
            return;
        }

        SignalInfo info = new() { Signal = owner.Signal, Code = code, Address = band, Status = fd };
        if (owner.Signal == 0 || target.SendLocked(info, only, force: false) != Errno.None)
        {
            _ = target.SendLocked(SignalInfo.FromKernel(Sigio), only, force: false);
        }
    }

    // A siginfo_t that looks like the kernel's, or like tkill's, may only go to oneself.
    private static bool MayPretend(in SignalInfo info, bool toSelf) => toSelf || (info.Code < 0 && info.Code != SignalInfo.SI_TKILL);

    [RequiresLock("TaskSet.Lock")]
    private static Errno SendInfoLocked(Task sender, ThreadGroup target, Task? only, in SignalInfo info)
    {
        Errno error = CheckLocked(sender, target, info.Signal);
        return error != Errno.None || info.Signal == 0 ? error : target.SendLocked(info, only, IsFromOutside(sender, target));
    }

    [RequiresLock("TaskSet.Lock")]
    private static Errno SendToAllLocked(Task sender, List<ThreadGroup> targets, int signal)
    {
        bool any = false;
        Errno last = Errno.ESRCH;
        foreach (ThreadGroup target in targets)
        {
            Errno error = SendLocked(sender, target, signal);
            any |= error == Errno.None;
            last = error;
        }

        return any ? Errno.None : last;
    }

    [RequiresLock("TaskSet.Lock")]
    private static Errno SendLocked(Task sender, ThreadGroup target, int signal)
    {
        Errno error = CheckLocked(sender, target, signal);
        return error != Errno.None || signal == 0 ? error : target.SendLocked(InfoFor(sender, target, signal, SignalInfo.SI_USER), IsFromOutside(sender, target));
    }

    [RequiresLock("TaskSet.Lock")]
    private static Errno CheckLocked(Task sender, ThreadGroup target, int signal)
    {
        if (sender.ThreadGroup == target || (signal == SignalNumber.SIGCONT && sender.ThreadGroup.Session == target.Session))
        {
            return Errno.None;
        }

        UserCredentials who = sender.Credentials;
        UserCredentials whom = target.Leader.Credentials;
        bool isSame = who.EffectiveUid == whom.SavedUid || who.EffectiveUid == whom.RealUid || who.RealUid == whom.SavedUid || who.RealUid == whom.RealUid;
        return isSame || who.Has(Capability.Kill, whom.UserNamespace) ? Errno.None : Errno.EPERM;
    }

    private static bool IsFromOutside(Task sender, ThreadGroup target) => sender.Id.NumberIn(target.Leader.Id.Namespace) == 0;

    private static SignalInfo InfoFor(Task sender, ThreadGroup target, int signal, int code) => SignalInfo.FromProcess(
        signal,
        code,
        sender.ThreadGroup.PidIn(target.Leader.Id.Namespace),
        target.Leader.Credentials.UserNamespace.ToGuestUid(sender.Credentials.RealUid));
}
