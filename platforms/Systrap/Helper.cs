// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>The process beside the guest's in one address space. It runs no guest code, and takes orders from a page that guest code can only read.</summary>
/// <remarks>
/// It shares the Sentry's descriptors, so that it can map them. Orders lie in a ring: they are posted, carried out one after the other, and awaited together
/// (<see cref="Flush"/>). That the last one is done it says through the file, where no guest can; the results lie where the guest can write: a forged one deceives
/// the guest about its own memory.
/// </remarks>
internal sealed class Helper
{
    private const int SigKill = 9;
    private const ulong CloneVm = 0x100, CloneFiles = 0x400, SigChld = 17;
    private readonly SystrapPlatform _platform;
    private readonly SharedRegion _region;
    private readonly Lock _lock = new();

    /// <summary>Who makes it, and the number of the order to do so; until it is known to be there.</summary>
    private Helper? _maker;
    private readonly int _makeSequence;
    private int _pid;

    /// <summary>The last order posted, the last one whose result has been looked at, and the one that makes the guest's process.</summary>
    [GuardedBy(nameof(_lock))]
    private int _sequence;
    [GuardedBy(nameof(_lock))]
    private int _seen;
    [GuardedBy(nameof(_lock))]
    private int _spawnSequence;

    /// <summary>Whether a posted call failed since the last <see cref="Flush"/>.</summary>
    [GuardedBy(nameof(_lock))]
    private bool _hasFailed;
    private volatile int _guestPid;
    private volatile bool _isEnded;

    /// <summary>A helper that is there.</summary>
    internal Helper(SystrapPlatform platform, ulong part, int pid)
        : this(platform, part, firstLine: -1) => _pid = pid;

    private Helper(SystrapPlatform platform, ulong part, int firstLine, Helper? maker = null, int makeSequence = 0)
    {
        _platform = platform;
        _region = platform.Region;
        Part = part;
        FirstLine = firstLine;
        _maker = maker;
        _makeSequence = makeSequence;
    }

    /// <summary>Its address space's part of the region's file.</summary>
    internal ulong Part { get; }

    /// <summary>The line of the first carrier.</summary>
    internal int FirstLine { get; private set; }

    /// <summary>The process id of the guest's process; 0 until <see cref="TryFinish"/>.</summary>
    internal int GuestPid => _guestPid;

    private ulong Answer => Part + AnswerInSpace;

    /// <summary>Makes a system call in the address space, after all that have been posted.</summary>
    /// <param name="via">A held context of it, whose carrier can lend its processor; or null.</param>
    /// <param name="number">The call.</param>
    /// <param name="a0">The arguments.</param>
    internal HostResult Call(GuestContext? via, int number, ulong a0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        lock (_lock)
        {
            PostLocked(PlainCall, number, a0, a1, a2, a3, a4, a5);
            return AwaitAllLocked(via, judgesLast: false) ? ResultLocked(_sequence) : new HostResult(-(long)HostErrno.ESRCH);
        }
    }

    /// <summary>Has it make a system call some time before the next <see cref="Flush"/> returns.</summary>
    internal void Post(int number, ulong a0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        lock (_lock)
        {
            PostLocked(PlainCall, number, a0, a1, a2, a3, a4, a5);
        }
    }

    /// <summary>Waits for all posted calls.</summary>
    /// <param name="via">As for <see cref="Call"/>.</param>
    /// <returns>Whether all of them were done, and none failed since the last time.</returns>
    internal bool Flush(GuestContext? via)
    {
        lock (_lock)
        {
            bool isDone = AwaitAllLocked(via) && !_hasFailed;
            _hasFailed = false;
            return isDone;
        }
    }

    /// <summary>Has posted calls begun on: nobody waits for them yet.</summary>
    internal void Start()
    {
        if (Volatile.Read(ref _region.Word(Answer + HelperAsleep)) != 0)
        {
            Wake();
        }
    }

    /// <summary>Has the helper of a copy of this address space made, and by that one the guest's process; waits for neither.</summary>
    /// <returns>The helper to be, for <see cref="TryFinish"/>; null when the region has no room for it.</returns>
    internal Helper? BeginFork()
    {
        ulong part = _region.TakeSpace();
        int line = part == 0 ? -1 : _region.TakeLine();
        if (line < 0)
        {
            if (part != 0)
            {
                _region.ReturnSpace(part);
            }

            return null;
        }

        _region.Quad(part + PartPlace) = part;
        Helper copy;
        lock (_lock)
        {
            copy = new Helper(_platform, part, line, this, unchecked(_sequence + 1));
            copy.PostSpawn();
            PostLocked(ForkCall, 0, CloneFiles | SigChld, part);
        }

        Start();
        return copy;
    }

    /// <summary>Waits for the end of <see cref="BeginFork"/> or <see cref="TryBeginRenewal"/>; false when it failed, and there is nothing left of the address space.</summary>
    internal bool TryFinish()
    {
        if (_maker is { } maker)
        {
            _maker = null;
            HostResult pid = maker.AwaitResult(_makeSequence);
            if (pid.IsError)
            {
                _isEnded = true;
                _region.ReturnSpace(Part);
                _region.ReturnLines([FirstLine]);
                return false;
            }

            _pid = pid.Int;
        }

        lock (_lock)
        {
            HostResult guest = AwaitAllLocked(null) ? ResultLocked(_spawnSequence) : new HostResult(-(long)HostErrno.ESRCH);
            _guestPid = guest.IsError ? 0 : guest.Int;
            if (!guest.IsError && !_hasFailed)
            {
                return true;
            }
        }

        if (_guestPid != 0)
        {
            _ = HostCalls.Kill(_guestPid, SigKill);
        }

        End([FirstLine]);
        return false;
    }

    /// <summary>Whether <see cref="TryFinish"/> would not have to wait.</summary>
    internal bool IsFinished
    {
        get
        {
            lock (_lock)
            {
                return Volatile.Read(ref _region.Word(Part + Done)) == _sequence;
            }
        }
    }

    /// <summary>Once the guest's process is gone: has all that it left behind taken away, and another one made; waits for neither.</summary>
    /// <param name="lines">The lines of its carriers. The first is used again.</param>
    /// <returns>False when the host cannot; nothing has happened then.</returns>
    internal bool TryBeginRenewal(List<int> lines)
    {
        if (!_region.TryClearGuestPages(Part))
        {
            return false;
        }

        _region.ReturnLines(lines[1..]);
        FirstLine = lines[0];
        lock (_lock)
        {
            _guestPid = 0;
            _hasFailed = false;
            PostLocked(PlainCall, SysMunmap, 0, _region.Address);
        }

        PostSpawn();
        Wake(); // Whether it sleeps lay on a page that has been cleared.
        return true;
    }

    /// <summary>Ends the process. The part is used again once it and the guest's process are gone.</summary>
    /// <param name="lines">The lines of the carriers.</param>
    internal void End(List<int> lines)
    {
        _isEnded = true;
        _ = HostCalls.Kill(_pid, SigKill);
        _platform.Bury(this, lines);
    }

    /// <summary>Whether the host has forgotten the process, and the guest's in the same address space.</summary>
    internal bool AreGone => IsGone && IsGuestGone;

    /// <summary>Whether the host has forgotten the guest's process: no thread of it runs any more.</summary>
    internal bool IsGuestGone => _guestPid == 0 || HostCalls.Kill(_guestPid, 0).IsError;

    private bool IsGone => _pid != 0 && HostCalls.Kill(_pid, 0).IsError;

    private ulong OrderAt(int sequence) => Part + OrderRing + (((ulong)(uint)sequence % OrderCount) * OrderSize);

    private void PostSpawn()
    {
        Carrier.Prepare(_region, Part, 0, FirstLine);
        lock (_lock)
        {
            PostLocked(SpawnCall, 0, CloneVm | CloneFiles | SigChld);
            _spawnSequence = _sequence;
        }
    }

    [RequiresLock(nameof(_lock))]
    private void PostLocked(int kind, int number, ulong a0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        if (_isEnded)
        {
            _hasFailed = true;
            return;
        }

        if (unchecked(_sequence - _seen) == OrderCount)
        {
            _ = AwaitAllLocked(null);
        }

        int sequence = unchecked(_sequence + 1);
        ulong order = OrderAt(sequence);
        _region.Word(order + OrderSequence) = sequence;
        _region.Word(order + OrderKind) = kind;
        _region.Quad(order + OrderNumber) = (ulong)number;
        _region.Quad(order + OrderArguments) = a0;
        _region.Quad(order + OrderArguments + 8) = a1;
        _region.Quad(order + OrderArguments + 16) = a2;
        _region.Quad(order + OrderArguments + 24) = a3;
        _region.Quad(order + OrderArguments + 32) = a4;
        _region.Quad(order + OrderArguments + 40) = a5;
        _sequence = sequence;
        _ = Interlocked.Exchange(ref _region.Word(Part + Sequence), sequence);
    }

    /// <summary>The result of an order that was carried out, if no further ones than fit in the ring have been posted since.</summary>
    [RequiresLock(nameof(_lock))]
    private HostResult ResultLocked(int sequence) => new(unchecked((long)Volatile.Read(ref _region.Quad(Answer + Results + (((ulong)(uint)sequence % OrderCount) * 8)))));

    private HostResult AwaitResult(int sequence)
    {
        lock (_lock)
        {
            return AwaitAllLocked(null) ? ResultLocked(sequence) : new HostResult(-(long)HostErrno.ESRCH);
        }
    }

    private void Wake() => _ = HostCalls.FutexWakeShared(_region.At(Part + Sequence), 1);

    [RequiresLock(nameof(_lock))]
    private bool AwaitAllLocked(GuestContext? via, bool judgesLast = true)
    {
        if (_isEnded)
        {
            return false;
        }

        if (_seen == _sequence)
        {
            return true;
        }

        if (Volatile.Read(ref _region.Word(Part + Done)) != _sequence && !AwaitLocked(_sequence, (via as SystrapContext)?.Carrier is { IsAsleep: false } lender ? lender : null))
        {
            return false;
        }

        while (_seen != _sequence)
        {
            _seen = unchecked(_seen + 1);
            _hasFailed |= (judgesLast || _seen != _sequence) && ResultLocked(_seen).IsError;
        }

        return true;
    }

    [RequiresLock(nameof(_lock))]
    private bool AwaitLocked(int sequence, Carrier? lender)
    {
        ref int done = ref _region.Word(Part + Done);
        if (lender is not null)
        {
            _region.Quad(Part + Then) = lender.LineAddress;
            lender.WakeWord(_region.Address + ControlOffset + Sequence);
        }
        else
        {
            Start();
        }

        for (int spins = _platform.Contention.IsCalm ? SystrapPlatform.AwaitSpins : SystrapPlatform.FewSpins; spins > 0; spins--)
        {
            if (Volatile.Read(ref done) == sequence)
            {
                _region.Quad(Part + Then) = 0;
                return true;
            }

            Thread.SpinWait(1);
        }

        _ = Interlocked.Exchange(ref _region.Word(Part + Waits), 1);
        Wake(); // The lender may not have done it, nor told the truth about its sleep the helper's page.
        bool isDone = true;
        while (Volatile.Read(ref done) is var seen && seen != sequence)
        {
            _ = HostCalls.FutexWaitShared(_region.At(Part + Done), unchecked((uint)seen), SystrapPlatform.PatienceNs);
            if (Volatile.Read(ref done) != sequence && (_isEnded || IsGone))
            {
                isDone = Volatile.Read(ref done) == sequence;
                if (!isDone && _guestPid is not 0 and var guest)
                {
                    _ = HostCalls.Kill(guest, SigKill); // Its memory cannot be changed any more.
                }

                break;
            }
        }

        _region.Word(Part + Waits) = 0;
        _region.Quad(Part + Then) = 0;
        return isDone;
    }
}
