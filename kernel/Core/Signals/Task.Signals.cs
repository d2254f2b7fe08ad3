// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>A task's own part of signals: what it blocks, what is pending for it, and waiting for signals.</summary>
/// <remarks>Guarded by <see cref="TaskSet.Lock"/>, save that the task itself reads its own mask without it.</remarks>
public sealed partial class Task
{
    private SignalSet _savedMask;
    private bool _hasSavedMask;

    /// <summary>Signals that are not delivered now.</summary>
    public SignalSet SignalMask { get; private set; }

    /// <summary>Signals that the task waits for (sigtimedwait): unblocked for the time being, and not to be dropped or to kill.</summary>
    internal SignalSet AwaitedSignals { get; private set; }

    /// <summary>Signals sent to this task alone.</summary>
    internal PendingSignals Pending { get; } = new();

    /// <summary>Where handlers with SA_ONSTACK run.</summary>
    public SignalStack SignalStack { get; set; } = SignalStack.None;

    /// <summary>Whether the task stands still for job control.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Whether the task has ended.</summary>
    public bool HasExited { get; private set; }

    /// <summary>PR_SET_PDEATHSIG: sent when the thread that made this task ends; 0 for nothing.</summary>
    public int ParentDeathSignal { get; set; }

    /// <summary>What is pending for the task itself or its process (sigpending(2)).</summary>
    public SignalSet PendingSignalSet
    {
        get
        {
            lock (Kernel.Tasks.Lock)
            {
                return Pending.Set | ThreadGroup.Pending.Set;
            }
        }
    }

    /// <summary>What is pending for the task alone, for /proc.</summary>
    public SignalSet OwnPendingSignalSet
    {
        get
        {
            lock (Kernel.Tasks.Lock)
            {
                return Pending.Set;
            }
        }
    }

    /// <summary>Sends a signal to this task alone. Thread-safe.</summary>
    /// <returns>None; ESRCH when it has ended; EAGAIN when too many real-time signals wait.</returns>
    public Errno Send(in SignalInfo info, bool force = false)
    {
        lock (Kernel.Tasks.Lock)
        {
            return HasExited ? Errno.ESRCH : ThreadGroup.SendLocked(info, this, force);
        }
    }

    /// <summary>Replaces the mask; SIGKILL and SIGSTOP cannot be in it. The task itself only.</summary>
    public void SetSignalMask(SignalSet mask)
    {
        mask &= ~SignalSet.Unblockable;
        lock (Kernel.Tasks.Lock)
        {
            SetSignalMaskLocked(mask);
        }
    }

    /// <summary>
    /// Replaces the mask for the length of one system call (sigsuspend, ppoll, pselect, epoll_pwait). When the call is interrupted, leave it: the mask is restored when a
    /// handler returns, or when it turns out that none runs. When the call ends otherwise, call <see cref="RestoreSignalMask"/>.
    /// </summary>
    public void SetTemporarySignalMask(SignalSet mask)
    {
        (_savedMask, _hasSavedMask) = (SignalMask, true);
        SetSignalMask(mask);
    }

    /// <summary>Ends <see cref="SetTemporarySignalMask"/>.</summary>
    public void RestoreSignalMask()
    {
        if (_hasSavedMask)
        {
            _hasSavedMask = false;
            SetSignalMask(_savedMask);
        }
    }

    /// <summary>Takes a pending signal of a set without delivering it (signalfd, sigtimedwait). The task itself only.</summary>
    public bool TryTakeSignal(SignalSet wanted, out SignalInfo info)
    {
        lock (Kernel.Tasks.Lock)
        {
            return TryTakeLocked(~(wanted & ~SignalSet.Unblockable), out info);
        }
    }

    /// <summary>Waits for a signal of a set (rt_sigtimedwait(2)).</summary>
    /// <param name="wanted">The set.</param>
    /// <param name="deadlineNs">On the monotonic clock.</param>
    /// <returns>The signal; or one with number 0 and <see cref="SignalInfo.Errno"/> EAGAIN (the time is up) or EINTR (another signal came).</returns>
    public async Blocking<SignalInfo> AwaitSignal(SignalSet wanted, long deadlineNs)
    {
        wanted &= ~SignalSet.Unblockable;
        SignalSet before = SignalMask;
        lock (Kernel.Tasks.Lock)
        {
            if (TryTakeLocked(~wanted, out SignalInfo early))
            {
                return early;
            }

            // Unblocked, so that the sender picks this task; awaited, so that it neither drops the signal nor lets it kill.
            AwaitedSignals = before & wanted;
            SetSignalMaskLocked(before & ~wanted);
        }

        BlockOutcome outcome = BlockOutcome.Woken;
        while (outcome == BlockOutcome.Woken)
        {
            PrepareToWait();
            outcome = await Block(deadlineNs);
        }

        lock (Kernel.Tasks.Lock)
        {
            AwaitedSignals = default;
            SetSignalMaskLocked(before);
            if (TryTakeLocked(~wanted, out SignalInfo late))
            {
                return late;
            }
        }

        return new SignalInfo { Errno = (int)(outcome == BlockOutcome.TimedOut ? Abi.Errno.EAGAIN : Abi.Errno.EINTR) };
    }

    /// <summary>Whether the task would take a signal that is sent to its process.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal bool Takes(int signal) =>
        !HasExited && !_endsNow && (signal == SignalNumber.SIGKILL || !(SignalMask.Contains(signal) || IsStopped || _trace is { IsStopped: true }));

    /// <summary>
    /// Raises a signal of the task's own making (a fault, a broken signal frame): it cannot be blocked or ignored, and without a handler it ends even a first process.
    /// </summary>
    internal void ForceSignal(in SignalInfo info)
    {
        lock (Kernel.Tasks.Lock)
        {
            int signal = info.Signal;
            ref SignalAction action = ref ThreadGroup.Handlers[signal];
            bool isBlocked = SignalMask.Contains(signal);
            if (isBlocked || action.Handler == SignalAction.Ignore)
            {
                action.Handler = SignalAction.Default;
                SetSignalMaskLocked(SignalMask & ~SignalSet.Of(signal));
            }

            if (action.Handler == SignalAction.Default && _trace is null)
            {
                ThreadGroup.BeginExitLocked(signal);
                return;
            }

            _ = Pending.Add(info, ulong.MaxValue);
            Wake(Wakeups.Signal);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private void SetSignalMaskLocked(SignalSet mask)
    {
        SignalSet blocked = mask & ~SignalMask;
        SignalMask = mask;
        if (!((Pending.Set | ThreadGroup.Pending.Set) & ~mask).IsEmpty)
        {
            Wake(Wakeups.Signal);
        }

        // What this task was to take of the process's signals is now for another thread.
        SignalSet orphaned = ThreadGroup.Pending.Set & blocked;
        if (!orphaned.IsEmpty)
        {
            ThreadGroup.RetargetLocked(this, orphaned);
        }
    }

    [RequiresLock("TaskSet.Lock")]
    private bool TryTakeLocked(SignalSet blocked, out SignalInfo info)
    {
        if (!Pending.TryTake(blocked, out info) && !ThreadGroup.Pending.TryTake(blocked, out info))
        {
            return false;
        }

        if (info.Code == SignalInfo.SI_TIMER)
        {
            ThreadGroup.OnTimerSignalTakenLocked(ref info);
        }

        return true;
    }

    /// <summary>A fault of the guest's own code becomes a signal.</summary>
    private void ForceFaultSignal(GuestFault fault)
    {
        const int PageFault = 14;
        bool isPageFault = fault.Signal is SignalNumber.SIGSEGV or SignalNumber.SIGBUS;
        _trapNumber = fault.Signal switch
        {
            SignalNumber.SIGSEGV or SignalNumber.SIGBUS => PageFault,
            SignalNumber.SIGFPE => 0,
            SignalNumber.SIGILL => 6,
            SignalNumber.SIGTRAP => fault.Code == SignalInfo.SI_KERNEL ? 3UL : 1UL,
            _ => 0,
        };
        _trapError = isPageFault ? 4UL | (fault.Code == 2 ? 1UL : 0) | (fault is { HasAccess: true, IsWrite: true } ? 2UL : 0) | (fault.IsExecute ? 16UL : 0) : 0;
        _faultAddress = isPageFault ? fault.Address : _faultAddress;
        ForceSignal(new SignalInfo { Signal = fault.Signal, Code = fault.Code, Address = fault.Address });
    }

    /// <summary>The host took the hardware thread away: nothing can run there any more.</summary>
    private void OnHardwareLost() => _ = ThreadGroup.Send(SignalInfo.FromKernel(SignalNumber.SIGKILL), force: true);

    private ulong _trapNumber;
    private ulong _trapError;
    private ulong _faultAddress;
}

/// <summary>An alternate signal stack (sigaltstack(2)).</summary>
/// <param name="Start">Its lowest address.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Flags">SS_* as the guest gave them.</param>
public readonly record struct SignalStack(UserPtr Start, ulong Length, uint Flags)
{
    /// <summary>SS_ONSTACK.</summary>
    public const uint OnStack = 1;

    /// <summary>SS_DISABLE.</summary>
    public const uint Disable = 2;

    /// <summary>SS_AUTODISARM.</summary>
    public const uint AutoDisarm = 1U << 31;

    /// <summary>The smallest stack in bytes (MINSIGSTKSZ).</summary>
    public const ulong MinimumLength = 2048;

    /// <summary>No alternate stack.</summary>
    public static SignalStack None => new(default, 0, Disable);

    /// <summary>Whether there is one.</summary>
    public bool IsEnabled => Length != 0;

    /// <summary>Whether a stack pointer lies on it. With SS_AUTODISARM the stack counts as left as soon as a handler has it.</summary>
    public bool Contains(ulong stackPointer) =>
        IsEnabled && (Flags & AutoDisarm) == 0 && stackPointer > Start.Address && unchecked(stackPointer - Start.Address) <= Length;
}
