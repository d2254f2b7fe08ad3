// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Host;

namespace CVisor.Platforms.Systrap;

/// <summary>Whether looking at memory for news pays: not while others want the processors, for who looks is then taken away in the middle of it, and its other side waits.</summary>
/// <remarks>It shows in the looking itself: looks that are far apart. Then nobody looks for a while, for longer each time that it shows again soon.</remarks>
internal sealed class Contention
{
    private const long ApartTicks = 1_500_000, ShortestTicks = 2_000_000, LongestTicks = 256_000_000; // of a clock in ns
    private const long YieldTicks = 5_000;
    private const int MissedOrders = 6;
    private int _missedOrders;
    private long _until;
    private long _span = ShortestTicks;
    private bool _isThere;

    /// <summary>The time, for <see cref="HasPassed"/>.</summary>
    internal static long Now => HostClock.MonotonicNs;

    /// <summary>Whether looking pays.</summary>
    internal bool IsCalm
    {
        get
        {
            if (!Volatile.Read(ref _isThere))
            {
                return true;
            }

            if (Now < Volatile.Read(ref _until))
            {
                return false;
            }

            _missedOrders = 0;
            Volatile.Write(ref _isThere, false);
            return true;
        }
    }

    /// <summary>Tells of two looks that should have been close.</summary>
    /// <param name="then">When the first was.</param>
    /// <returns>The time now, or 0 when they were far apart.</returns>
    internal long HasPassed(long then)
    {
        long now = Now;
        if (now - then < ApartTicks)
        {
            return now;
        }

        Note(now);
        return 0;
    }

    /// <summary>Whether somebody else ran on this processor during a yield that began then; one that nobody waits for takes a few hundred nanoseconds.</summary>
    internal static bool HasRunOther(long then) => Now - then > YieldTicks;

    /// <summary>Tells whether an order was taken soon by who should have been looking.</summary>
    internal void OnOrder(bool wasTaken)
    {
        if (wasTaken)
        {
            _missedOrders = 0;
        }
        else if (!Volatile.Read(ref _isThere) && ++_missedOrders >= MissedOrders)
        {
            Note(Now);
        }
    }

    private void Note(long now)
    {
        long until = Volatile.Read(ref _until);
        _missedOrders = 0;
        _span = now - until < _span ? Math.Min(2 * _span, LongestTicks) : ShortestTicks;
        Volatile.Write(ref _until, now + _span);
        Volatile.Write(ref _isThere, true);
    }
}
