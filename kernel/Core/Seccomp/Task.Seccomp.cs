// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Seccomp;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>Calls that a task has given up (kernel/seccomp.c).</summary>
public sealed partial class Task
{
    private const int SysRead = 0, SysWrite = 1, SysRtSigreturn = 15, SysExit = 60;
    private const uint AuditArchX64 = 0xc000_003e;
    private const int SiCodeSeccomp = 1;
    private const int MaximumErrno = 4095;

    private SeccompState? _seccomp;
    private volatile bool _hasSyncedNoNewPrivileges;

    /// <summary>What the task has given up, or null. Set by the task itself, or by another thread of its process under <see cref="TaskSet.Lock"/>.</summary>
    public SeccompState? Seccomp => Volatile.Read(ref _seccomp);

    /// <summary>PR_SET_NO_NEW_PRIVS, set by the task itself or by a thread that synchronized its filters.</summary>
    public bool HasNoNewPrivileges => Credentials.HasNoNewPrivileges || _hasSyncedNoNewPrivileges;

    /// <summary>Goes over to strict mode; EINVAL when the task has filters.</summary>
    public Errno EnterStrictMode()
    {
        lock (Kernel.Tasks.Lock)
        {
            if (_seccomp is { Mode: SeccompMode.Filter })
            {
                return Errno.EINVAL;
            }

            Volatile.Write(ref _seccomp, SeccompState.Strict);
            WithdrawAnswersLocked();
            return Errno.None;
        }
    }

    /// <summary>Adds a filter.</summary>
    /// <param name="program">The filter.</param>
    /// <param name="isForAll">Whether all threads of the process get it (SECCOMP_FILTER_FLAG_TSYNC).</param>
    /// <param name="other">The thread that stands in the way of that, when EBUSY is returned.</param>
    /// <returns>None; EINVAL in strict mode; ENOMEM when there are too many; EBUSY.</returns>
    public Errno AddFilter(FilterProgram program, bool isForAll, out Task? other)
    {
        other = null;
        lock (Kernel.Tasks.Lock)
        {
            SeccompState? current = _seccomp;
            if (current is { Mode: SeccompMode.Strict })
            {
                return Errno.EINVAL;
            }

            SeccompState state = SeccompState.WithFilter(current, program);
            if (state.Instructions > SeccompState.MaximumInstructions)
            {
                return Errno.ENOMEM;
            }

            if (isForAll && !TrySynchronizeLocked(current, state, out other))
            {
                return Errno.EBUSY;
            }

            Volatile.Write(ref _seccomp, state);
            WithdrawAnswersLocked();
            return Errno.None;
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private bool TrySynchronizeLocked(SeccompState? current, SeccompState state, out Task? other)
    {
        foreach (Task thread in ThreadGroup.Threads)
        {
            // A thread may only have what this one has, too: nothing that it gave up may come back.
            if (thread != this && !thread.HasExited && thread._seccomp is { } has && (has.Mode == SeccompMode.Strict || current?.Includes(has) != true))
            {
                other = thread;
                return false;
            }
        }

        foreach (Task thread in ThreadGroup.Threads)
        {
            Volatile.Write(ref thread._seccomp, state);
            thread.WithdrawAnswersLocked();
            thread._hasSyncedNoNewPrivileges |= thread != this && HasNoNewPrivileges;
        }

        other = null;
        return true;
    }

    /// <summary>Takes over a parent's state; called for a new task under the lock under which a parent's threads are synchronized.</summary>
    [RequiresLock("TaskSet.Lock")]
    private void InheritSeccompLocked(Task parent)
    {
        _seccomp = parent._seccomp;
        _hasSyncedNoNewPrivileges = parent._hasSyncedNoNewPrivileges;
    }

    /// <summary>Asks whether a call may be made.</summary>
    /// <param name="state">What was given up.</param>
    /// <param name="instead">What the call comes to when it may not.</param>
    /// <param name="tracedData">The filter's data when a tracer is to decide, otherwise -1.</param>
    /// <returns>Whether it may.</returns>
    private bool TrySeccomp(SeccompState state, out SyscallResult instead, out int tracedData)
    {
        instead = SyscallResult.KeepRegisters;
        tracedData = -1;
        int number = unchecked((int)SyscallNumber);
        if (state.Mode == SeccompMode.Strict)
        {
            if (number is SysRead or SysWrite or SysExit or SysRtSigreturn)
            {
                return true;
            }

            instead = RequestExit(SignalNumber.SIGKILL);
            return false;
        }

        uint answer = state.Run(new FilterData(number, AuditArchX64, Registers.Rip, SyscallArguments));
        int data = (int)(answer & SeccompAction.DataMask);
        switch (answer & SeccompAction.ActionMask)
        {
            case SeccompAction.Allow or SeccompAction.Log:
                return true;
            case SeccompAction.Error:
                instead = SyscallResult.FromRegister(-(long)Math.Min(data, MaximumErrno));
                return false;
            case SeccompAction.Trap:
                Registers.Rax = unchecked((ulong)(long)number); // As it was before the call.
                ForceSignal(new SignalInfo
                {
                    Signal = SignalNumber.SIGSYS,
                    Errno = data,
                    Code = SiCodeSeccomp,
                    Address = Registers.Rip,
                    Status = number,
                    Architecture = AuditArchX64,
                });
                return false;
            case SeccompAction.Trace:
                tracedData = data;
                instead = Errno.ENOSYS;
                return false;
            case SeccompAction.KillThread when ThreadGroup.LiveThreads > 1:
                instead = RequestExit(SignalNumber.SIGSYS);
                return false;
            default:
                instead = RequestGroupExit(SignalNumber.SIGSYS);
                return false;
        }
    }
}
