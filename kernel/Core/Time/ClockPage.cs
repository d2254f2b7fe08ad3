// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Host;

namespace CVisor.Core.Time;

/// <summary>The page from which guests read the clocks (see Vdso.x64.s): how the processor's counter translates to the host's clocks.</summary>
/// <remarks>
/// The line is drawn anew about once a second, more often in the beginning. It never jumps back: the new line begins where the old one is at that moment, and its slope leads it to the host's
/// clock within the next period. Only a host that slept makes it jump, ahead.
/// </remarks>
internal sealed class ClockPage : KernelTimer
{
    private const long FirstPeriodNs = 20_000_000, PeriodNs = 1_000_000_000;

    /// <summary>How far apart the two readings around a sample may be for it to count; a preempted reader samples again.</summary>
    private const long GoodSampleNs = 1_000;

    /// <summary>An error of the line beyond which it is no drift, and is not corrected by slope.</summary>
    private const long JumpNs = 1_000_000;

    private const int PageBytes = 40;
    private readonly nuint _address;
    private readonly TimerQueue _timers;
    private ulong _sequence;
    private Sample _first;
    private Sample _last;
    private bool _isPublished;
    private ulong _baseCounter;
    private long _baseNs;
    private ulong _slope;
    private long _periodNs = FirstPeriodNs;

    private ClockPage(nuint address, TimerQueue timers)
    {
        _address = address;
        _timers = timers;
        _first = Sample.Take();
        _last = _first;
        timers.Arm(this, _first.MonotonicNs + FirstPeriodNs);
    }

    /// <summary>Keeps a page right from now on; until the first two samples are there it says that there is nothing to read.</summary>
    /// <param name="address">Where the page lies in this process's memory; it holds zeros.</param>
    /// <param name="timers">When to look at the clocks again.</param>
    internal static void Start(nuint address, TimerQueue timers) => _ = new ClockPage(address, timers);

    /// <inheritdoc/>
    protected internal override void OnFire()
    {
        Sample now = Sample.Take();
        _periodNs = Math.Min(PeriodNs, 4 * _periodNs); // short ones first: the first lines are drawn from little
        if (now.Counter > _last.Counter && now.MonotonicNs > _last.MonotonicNs)
        {
            Publish(now);
            _last = now;
        }

        _timers.Arm(this, now.MonotonicNs + _periodNs);
    }

    /// <summary>Draws the line through the present.</summary>
    private void Publish(in Sample now)
    {
        // Over the whole life at first, while a single period says little, and over the last period once the two readings' errors count for nothing.
        Sample from = now.MonotonicNs - _first.MonotonicNs < 2 * PeriodNs ? _first : _last;
        double nsPerCount = (now.MonotonicNs - from.MonotonicNs) / (double)(now.Counter - from.Counter);
        long startNs = now.MonotonicNs;
        double slope = nsPerCount;
        if (_isPublished)
        {
            long lineNs = _baseNs + (long)(ulong)((UInt128)(now.Counter - _baseCounter) * _slope >> 32);
            long errorNs = now.MonotonicNs - lineNs;
            if (errorNs < JumpNs)
            {
                startNs = lineNs;
                slope = nsPerCount * (1.0 + (Math.Max(errorNs, -JumpNs) / (double)_periodNs));
            }
        }

        _baseCounter = now.Counter;
        _baseNs = startNs;
        _slope = (ulong)(slope * 4294967296.0);
        _isPublished = true;

        // Sequence lock: x86 keeps the order of stores.
        Span<byte> page = stackalloc byte[PageBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(page, ++_sequence);
        _ = SafeMemory.Write(_address, page[..8]);
        BinaryPrimitives.WriteUInt64LittleEndian(page[8..], _baseCounter);
        BinaryPrimitives.WriteInt64LittleEndian(page[16..], _baseNs);
        BinaryPrimitives.WriteUInt64LittleEndian(page[24..], _slope);
        BinaryPrimitives.WriteInt64LittleEndian(page[32..], now.RealtimeNs - now.MonotonicNs);
        _ = SafeMemory.Write(_address + 8, page[8..]);
        BinaryPrimitives.WriteUInt64LittleEndian(page, ++_sequence);
        _ = SafeMemory.Write(_address, page[..8]);
    }

    /// <summary>The counter and the clocks at one moment.</summary>
    private readonly record struct Sample(ulong Counter, long MonotonicNs, long RealtimeNs)
    {
        private const int Tries = 16;

        /// <summary>Reads them; of several tries the one with the least time in between.</summary>
        internal static Sample Take()
        {
            Sample best = default;
            long bestNs = long.MaxValue;
            for (int i = 0; i < Tries && bestNs > GoodSampleNs; i++)
            {
                long before = KernelClock.MonotonicNs;
                ulong counter = HostProcessor.ReadTimestampCounter();
                long realtime = KernelClock.RealtimeNs;
                long after = KernelClock.MonotonicNs;
                if (after - before < bestNs)
                {
                    bestNs = after - before;
                    best = new Sample(counter, before + ((after - before) / 2), realtime);
                }
            }

            return best;
        }
    }
}
