// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Time;

/// <summary>A straight line from the processor's counter to CLOCK_MONOTONIC, as guests compute it (Vdso.x64.s).</summary>
/// <param name="BaseCounter">The counter where it begins.</param>
/// <param name="BaseNs">The time there, in ns.</param>
/// <param name="Slope">Nanoseconds a count, times 2^32.</param>
internal readonly record struct ClockLine(ulong BaseCounter, long BaseNs, ulong Slope)
{
    /// <summary>An error of the line beyond which it is no drift, and is not corrected by slope.</summary>
    internal const long JumpNs = 1_000_000;

    /// <summary>The time at a counter; that of the base for one before it, since counters of two processors may differ a little.</summary>
    internal long At(ulong counter) =>
        counter <= BaseCounter ? BaseNs : BaseNs + (long)(ulong)((UInt128)(counter - BaseCounter) * Slope >> 32);

    /// <summary>The line from the present on: it begins where the old one is, and its slope leads it to the host's clock within a period.</summary>
    /// <param name="previous">The line so far; null for the first one.</param>
    /// <param name="from">An earlier sample, which tells the rate.</param>
    /// <param name="now">The present, later than <paramref name="from"/> by both clocks.</param>
    /// <param name="periodNs">When the line will be drawn anew.</param>
    internal static ClockLine Draw(in ClockLine? previous, in ClockSample from, in ClockSample now, long periodNs)
    {
        double nsPerCount = (now.MonotonicNs - from.MonotonicNs) / (double)(now.Counter - from.Counter);
        if (previous is not { } old)
        {
            return new ClockLine(now.Counter, now.MonotonicNs, ToSlope(nsPerCount));
        }

        long startNs = old.At(now.Counter);
        long errorNs = now.MonotonicNs - startNs;
        return errorNs >= JumpNs
            ? new ClockLine(now.Counter, now.MonotonicNs, ToSlope(nsPerCount)) // the host slept: ahead at once
            : new ClockLine(now.Counter, startNs, ToSlope(nsPerCount * (1.0 + (Math.Max(errorNs, -JumpNs) / (double)periodNs))));
    }

    private static ulong ToSlope(double nsPerCount) => (ulong)(nsPerCount * 4294967296.0);
}
