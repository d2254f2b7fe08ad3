// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.Host;

namespace CVisor.FileSystems.Timerfd;

/// <summary>A timer to wait on (timerfd_create(2)).</summary>
/// <remarks>
/// Lock order: <c>_lock</c>, then the timer queue's. A periodic timer is armed for its next time only when its expirations are read, as on Linux: a short interval costs
/// nothing while nobody looks.
/// </remarks>
public sealed class TimerfdDescription : FileDescription
{
    private const uint SetTicks = 0x40085400;
    private readonly Lock _lock = new();
    private readonly TimerQueue _timers;
    private readonly bool _isRealtime;
    private readonly ExpiryTimer _timer;
    [GuardedBy(nameof(_lock))]
    private ulong _ticks;
    [GuardedBy(nameof(_lock))]
    private long _deadlineNs;
    [GuardedBy(nameof(_lock))]
    private long _intervalNs;
    [GuardedBy(nameof(_lock))]
    private bool _hasFired;

    /// <summary>Makes a disarmed timer.</summary>
    /// <param name="timers">Where it is armed.</param>
    /// <param name="isRealtime">Whether absolute times are CLOCK_REALTIME's; otherwise the monotonic clock's.</param>
    /// <param name="flags">O_NONBLOCK.</param>
    public TimerfdDescription(TimerQueue timers, bool isRealtime, OpenFlags flags)
        : base(default, flags | OpenFlags.ReadWrite)
    {
        _timers = timers;
        _isRealtime = isRealtime;
        _timer = new ExpiryTimer(this);
    }

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <inheritdoc/>
    public override WaitQueue Queue { get; } = new();

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[timerfd]";

    /// <summary>timerfd_settime(2).</summary>
    /// <param name="valueNs">When it expires first; 0 disarms.</param>
    /// <param name="intervalNs">Time between later expirations; 0 for none.</param>
    /// <param name="isAbsolute">Whether <paramref name="valueNs"/> is a time on the clock rather than from now on.</param>
    /// <param name="oldRemainingNs">What was left of the old setting.</param>
    /// <param name="oldIntervalNs">The old interval.</param>
    public void Set(long valueNs, long intervalNs, bool isAbsolute, out long oldRemainingNs, out long oldIntervalNs)
    {
        lock (_lock)
        {
            GetLocked(out oldRemainingNs, out oldIntervalNs);
            _ = _timers.Cancel(_timer);
            _ticks = 0;
            _hasFired = false;
            _deadlineNs = 0;
            _intervalNs = intervalNs;
            if (valueNs != 0)
            {
                long nowNs = KernelClock.MonotonicNs;
                long fromNowNs = isAbsolute ? valueNs - (_isRealtime ? KernelClock.RealtimeNs : nowNs) : valueNs;
                _deadlineNs = Math.Max(1, AddSaturating(nowNs, fromNowNs));
                _timers.Arm(_timer, _deadlineNs);
            }
        }
    }

    /// <summary>timerfd_gettime(2).</summary>
    public void Get(out long remainingNs, out long intervalNs)
    {
        lock (_lock)
        {
            GetLocked(out remainingNs, out intervalNs);
        }
    }

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        if (destination.Remaining < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        ulong ticks;
        lock (_lock)
        {
            ForwardLocked();
            if (_ticks == 0)
            {
                return Errno.EAGAIN;
            }

            ticks = _ticks;
            _ticks = 0;
        }

        Errno error = destination.CopyOut(Blit.AsReadOnlyBytes(in ticks), out _);
        return error != Errno.None ? error : sizeof(ulong);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            return _ticks > 0 ? mask & PollEvents.AllIn : PollEvents.None;
        }
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument)
    {
        if (request != SetTicks)
        {
            return base.Ioctl(task, request, argument);
        }

        Errno error = task.Memory.CopyIn(new UserPtr(argument), out ulong ticks);
        if (error != Errno.None || ticks == 0)
        {
            return (SyscallResult)(error != Errno.None ? error : Errno.EINVAL);
        }

        lock (_lock)
        {
            _ticks = ticks;
        }

        Queue.Notify(PollEvents.AllIn);
        return SyscallResult.Success;
    }

    /// <inheritdoc/>
    protected override void OnRelease() => _ = _timers.Cancel(_timer);

    private static long AddSaturating(long a, long b) => b > long.MaxValue - a - 1 ? long.MaxValue - 1 : a + Math.Max(b, -a);

    [RequiresLock(nameof(_lock))]
    private void GetLocked(out long remainingNs, out long intervalNs)
    {
        ForwardLocked();
        remainingNs = _deadlineNs == 0 ? 0 : Math.Max(1, _deadlineNs - KernelClock.MonotonicNs);
        intervalNs = _intervalNs;
    }

    /// <summary>After an expiration: counts the ones that passed since and arms the next.</summary>
    [RequiresLock(nameof(_lock))]
    private void ForwardLocked()
    {
        if (!_hasFired)
        {
            return;
        }

        _hasFired = false;
        if (_intervalNs == 0)
        {
            _deadlineNs = 0;
            return;
        }

        long late = KernelClock.MonotonicNs - _deadlineNs;
        long missed = late < 0 ? 0 : late / _intervalNs;
        _ticks += (ulong)missed;
        _deadlineNs = AddSaturating(_deadlineNs, _intervalNs * (missed + 1));
        _timers.Arm(_timer, _deadlineNs);
    }

    private void OnExpired()
    {
        lock (_lock)
        {
            // A timer set anew while it fired: its deadline is not due.
            if (_deadlineNs == 0 || _deadlineNs > KernelClock.MonotonicNs || _hasFired)
            {
                return;
            }

            _hasFired = true;
            _ticks++;
        }

        Queue.Notify(PollEvents.AllIn);
    }

    private sealed class ExpiryTimer(TimerfdDescription owner) : KernelTimer
    {
        protected override void OnFire() => owner.OnExpired();
    }
}
