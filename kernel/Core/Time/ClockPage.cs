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

    private const int PageBytes = 40;
    private readonly nuint _address;
    private readonly TimerQueue _timers;
    private ulong _sequence;
    private readonly ClockSample _first;
    private ClockSample _last;
    private ClockLine? _line;
    private long _periodNs = FirstPeriodNs;

    private ClockPage(nuint address, TimerQueue timers)
    {
        _address = address;
        _timers = timers;
        _first = ClockSample.Take();
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
        ClockSample now = ClockSample.Take();
        _periodNs = Math.Min(PeriodNs, 4 * _periodNs); // short ones first: the first lines are drawn from little
        if (now.Counter > _last.Counter && now.MonotonicNs > _last.MonotonicNs)
        {
            Publish(now);
            _last = now;
        }

        _timers.Arm(this, now.MonotonicNs + _periodNs);
    }

    /// <summary>Draws the line through the present.</summary>
    private void Publish(in ClockSample now)
    {
        // Over the whole life at first, while a single period says little, and over the last period once the two readings' errors count for nothing.
        ClockSample from = now.MonotonicNs - _first.MonotonicNs < 2 * PeriodNs ? _first : _last;
        ClockLine line = ClockLine.Draw(_line, from, now, _periodNs);
        _line = line;

        // Sequence lock: x86 keeps the order of stores.
        Span<byte> page = stackalloc byte[PageBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(page, ++_sequence);
        _ = SafeMemory.Write(_address, page[..8]);
        BinaryPrimitives.WriteUInt64LittleEndian(page[8..], line.BaseCounter);
        BinaryPrimitives.WriteInt64LittleEndian(page[16..], line.BaseNs);
        BinaryPrimitives.WriteUInt64LittleEndian(page[24..], line.Slope);
        BinaryPrimitives.WriteInt64LittleEndian(page[32..], now.RealtimeNs - now.MonotonicNs);
        _ = SafeMemory.Write(_address + 8, page[8..]);
        BinaryPrimitives.WriteUInt64LittleEndian(page, ++_sequence);
        _ = SafeMemory.Write(_address, page[..8]);
    }
}
