// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>The process beside the guest's in one address space. It runs no guest code, and takes orders from a page that guest code can only read.</summary>
/// <remarks>
/// It shares the Sentry's descriptors, so that it can map them. Its answers lie where the guest can write: a forged one deceives the guest about its own memory.
/// One order at a time, under the lock.
/// </remarks>
internal sealed class Helper
{
    private const int SigKill = 9;
    private const ulong CloneVm = 0x100, CloneFiles = 0x400, SigChld = 17;
    private readonly SystrapPlatform _platform;
    private readonly SharedRegion _region;
    private readonly Lock _lock = new();
    private readonly int _pid;
    [GuardedBy(nameof(_lock))]
    private int _sequence;
    private List<int> _lines = [];
    private volatile int _guestPid;
    private volatile bool _isEnded;

    internal Helper(SystrapPlatform platform, ulong part, int pid)
    {
        _platform = platform;
        _region = platform.Region;
        Part = part;
        _pid = pid;
    }

    /// <summary>Its address space's part of the region's file.</summary>
    internal ulong Part { get; }

    private ulong Answer => Part + AnswerInSpace;

    /// <summary>Makes a system call in the address space.</summary>
    /// <param name="via">A held context of it, whose carrier can lend its processor; or null.</param>
    /// <param name="number">The call.</param>
    /// <param name="a0">The arguments.</param>
    internal HostResult Call(GuestContext? via, int number, ulong a0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0, ulong a4 = 0, ulong a5 = 0)
    {
        lock (_lock)
        {
            _region.Quad(Part + Number) = (ulong)number;
            _region.Quad(Part + Arguments + 24) = a3;
            _region.Quad(Part + Arguments + 32) = a4;
            _region.Quad(Part + Arguments + 40) = a5;
            Carrier? lender = (via as SystrapContext)?.Carrier;
            return OrderLocked(PlainCall, a0, a1, a2, lender is { IsAsleep: false } ? lender : null);
        }
    }

    /// <summary>Makes the helper of a copy of this address space; null when the host has no room for it.</summary>
    internal Helper? Fork()
    {
        ulong part = _region.TakeSpace();
        if (part == 0)
        {
            return null;
        }

        HostResult pid;
        lock (_lock)
        {
            pid = OrderLocked(ForkCall, CloneFiles | SigChld, (ulong)_region.Fd, part);
        }

        if (pid.IsError)
        {
            _region.ReturnSpace(part);
            return null;
        }

        return new Helper(_platform, part, pid.Int);
    }

    /// <summary>Makes the guest's process; the value is its id.</summary>
    internal HostResult Spawn()
    {
        lock (_lock)
        {
            HostResult pid = OrderLocked(SpawnCall, CloneVm | CloneFiles | SigChld, 0, 0);
            _guestPid = pid.IsError ? 0 : pid.Int;
            return pid;
        }
    }

    /// <summary>Ends the process. The part is used again once it and the guest's process are gone.</summary>
    /// <param name="lines">The lines of the carriers.</param>
    internal void End(List<int> lines)
    {
        _isEnded = true;
        _lines = lines;
        _ = HostCalls.Kill(_pid, SigKill);
        _platform.Bury(this);
    }

    /// <summary>The lines of the carriers, to be given back.</summary>
    internal List<int> Lines => _lines;

    /// <summary>Whether the host has forgotten the process, and the guest's in the same address space.</summary>
    internal bool AreGone => IsGone && (_guestPid == 0 || HostCalls.Kill(_guestPid, 0).IsError);

    private bool IsGone => HostCalls.Kill(_pid, 0).IsError;

    [RequiresLock(nameof(_lock))]
    private HostResult OrderLocked(int kind, ulong a0, ulong a1, ulong a2, Carrier? lender = null)
    {
        if (_isEnded)
        {
            return new HostResult(-(long)HostErrno.ESRCH);
        }

        _region.Word(Part + Kind) = kind;
        _region.Quad(Part + Arguments) = a0;
        _region.Quad(Part + Arguments + 8) = a1;
        _region.Quad(Part + Arguments + 16) = a2;
        _region.Quad(Part + Then) = lender?.LineAddress ?? 0;
        int sequence = unchecked(++_sequence);
        _ = Interlocked.Exchange(ref _region.Word(Part + Sequence), sequence);
        if (lender is not null)
        {
            lender.WakeWord(_region.Address + ControlOffset + Sequence);
        }
        else if (Volatile.Read(ref _region.Word(Answer + HelperAsleep)) != 0)
        {
            Wake();
        }

        return AwaitLocked(sequence) ? new HostResult(unchecked((long)Volatile.Read(ref _region.Quad(Answer + Result)))) : new HostResult(-(long)HostErrno.ESRCH);
    }

    private void Wake() => _ = HostCalls.FutexWakeShared(_region.At(Part + Sequence), 1);

    [RequiresLock(nameof(_lock))]
    private bool AwaitLocked(int sequence)
    {
        ref int done = ref _region.Word(Answer + Done);
        for (int spins = _platform.Contention.IsCalm ? SystrapPlatform.AwaitSpins : SystrapPlatform.FewSpins; spins > 0; spins--)
        {
            if (Volatile.Read(ref done) == sequence)
            {
                return true;
            }

            Thread.SpinWait(1);
        }

        _ = Interlocked.Exchange(ref _region.Word(Part + Waits), 1);
        Wake(); // The lender may not have done it, nor told the truth about its sleep the helper's page.
        bool isDone = true;
        while (Volatile.Read(ref done) is var seen && seen != sequence)
        {
            _ = HostCalls.FutexWaitShared(_region.At(Answer + Done), unchecked((uint)seen), SystrapPlatform.PatienceNs);
            if (_isEnded || IsGone)
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
        return isDone;
    }
}
