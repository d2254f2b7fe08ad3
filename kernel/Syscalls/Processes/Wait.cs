// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>wait4, waitid.</content>
public static partial class Handlers
{
    private const int IdAll = 0, IdProcess = 1, IdGroup = 2, IdPidFd = 3;
    private const WaitOptions WaitKinds = WaitOptions.NoThread | WaitOptions.All | WaitOptions.Clone;

    /// <summary>wait4(2)</summary>
    public static partial Blocking<SyscallResult> Wait4(Task task, int pid, UserPtr wstatus, int options, UserPtr rusage)
    {
        WaitOptions wanted = (WaitOptions)options;
        if ((wanted & ~(WaitOptions.NoHang | WaitOptions.Stopped | WaitOptions.Continued | WaitKinds)) != 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        if (pid == int.MinValue)
        {
            return (SyscallResult)Errno.ESRCH;
        }

        WaitRequest request = pid switch
        {
            -1 => new WaitRequest(wanted | WaitOptions.Exited, null, null),
            > 0 => ForProcess(task, wanted | WaitOptions.Exited, pid),
            _ => ForGroup(task, wanted | WaitOptions.Exited, pid == 0 ? 0 : -pid),
        };
        return Wait4(task, request, wstatus, rusage);
    }

    /// <summary>waitid(2)</summary>
    public static partial Blocking<SyscallResult> Waitid(Task task, int idtype, int id, UserPtr infop, int options, UserPtr rusage)
    {
        const WaitOptions States = WaitOptions.Exited | WaitOptions.Stopped | WaitOptions.Continued;
        WaitOptions wanted = (WaitOptions)options;
        if ((wanted & ~(WaitOptions.NoHang | WaitOptions.NoWait | States | WaitKinds)) != 0 || (wanted & States) == 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        WaitRequest request;
        switch (idtype)
        {
            case IdAll:
                request = new WaitRequest(wanted, null, null);
                break;
            case IdProcess when id > 0:
                request = ForProcess(task, wanted, id);
                break;
            case IdGroup when id >= 0:
                request = ForGroup(task, wanted, id);
                break;
            case IdPidFd when id >= 0:
                if (task.Descriptors.Get(id) is not { } file)
                {
                    return (SyscallResult)Errno.EBADF;
                }

                ThreadGroup? process = (file as PidFd)?.Process;
                if (process is not null && file.IsNonBlocking)
                {
                    wanted |= WaitOptions.NoHang;
                }

                file.Unreference();
                if (process is null)
                {
                    return (SyscallResult)Errno.EBADF;
                }

                return Waitid(task, new WaitRequest(wanted, process.Leader.Id, null), infop, rusage, saysAgain: ((WaitOptions)options & WaitOptions.NoHang) == 0);
            default:
                return (SyscallResult)Errno.EINVAL;
        }

        return Waitid(task, request, infop, rusage, saysAgain: false);
    }

    private static WaitRequest ForProcess(Task task, WaitOptions options, int pid)
    {
        ProcessId? id = task.Kernel.Tasks.FindId(task.PidNamespace, pid);
        return new WaitRequest(options, id, null, IsNobody: id is null);
    }

    private static WaitRequest ForGroup(Task task, WaitOptions options, int group)
    {
        ProcessId? id = group == 0 ? task.ThreadGroup.ProcessGroup.Id : task.Kernel.Tasks.FindId(task.PidNamespace, group);
        return new WaitRequest(options, null, id, IsNobody: id is null);
    }

    private static async Blocking<SyscallResult> Wait4(Task task, WaitRequest request, UserPtr wstatus, UserPtr rusage)
    {
        WaitResult result = await task.WaitForChild(request);
        if (result.Error == Errno.EINTR)
        {
            return SyscallResult.Restarts(Restart.IfHandlerAllows);
        }

        if (result.Error != Errno.None || result.Report.Pid == 0)
        {
            return result.Error;
        }

        Errno error = wstatus.IsNull ? Errno.None : task.Memory.CopyOut(wstatus, result.Report.Status);
        if (error == Errno.None && !rusage.IsNull)
        {
            error = task.Memory.CopyOut(rusage, GuestUsage.From(result.Report.Usage));
        }

        return error == Errno.None ? result.Report.Pid : error;
    }

    private static async Blocking<SyscallResult> Waitid(Task task, WaitRequest request, UserPtr infop, UserPtr rusage, bool saysAgain)
    {
        WaitResult result = await task.WaitForChild(request);
        if (result.Error == Errno.EINTR)
        {
            return SyscallResult.Restarts(Restart.IfHandlerAllows);
        }

        if (result.Error != Errno.None)
        {
            return result.Error;
        }

        WaitReport report = result.Report;
        if (report.Pid == 0 && saysAgain && (request.Options & WaitOptions.NoHang) != 0)
        {
            return Errno.EAGAIN;
        }

        Errno error = Errno.None;
        if (!rusage.IsNull && report.Pid != 0)
        {
            error = task.Memory.CopyOut(rusage, GuestUsage.From(report.Usage));
        }

        if (error == Errno.None && !infop.IsNull)
        {
            ChildInfo info = report.Pid == 0
                ? default
                : new ChildInfo { Signal = SignalNumber.SIGCHLD, Code = report.Code, Pid = report.Pid, Uid = report.Uid, Status = report.SignalStatus };
            error = task.Memory.CopyOut(infop, info);
        }

        return error;
    }

    /// <summary>The part of siginfo_t that waitid(2) writes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(28)]
    private struct ChildInfo
    {
        internal int Signal, Errno, Code, Pad, Pid;
        internal uint Uid;
        internal int Status;
    }
}
