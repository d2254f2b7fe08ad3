// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Time;

namespace CVisor.Core.Tests;

/// <summary>The line by which guests read clocks without a call.</summary>
public sealed class ClockLineTests
{
    private const long Second = 1_000_000_000;
    private const double CountsPerNs = 2.6;

    // A counter that starts high, as after months of uptime.
    private static ClockSample At(double counterNs, long monotonicNs) => new((ulong)(7e15 + (counterNs * CountsPerNs)), monotonicNs, 0);

    private static ClockSample Exact(long ns) => At(ns, ns);

    [Fact]
    public void The_first_line_goes_through_the_sample_at_the_counters_rate()
    {
        ClockLine line = ClockLine.Draw(null, Exact(Second), Exact(2 * Second), Second);
        line.At(Exact(2 * Second).Counter).ShouldBe(2 * Second);
        line.At(Exact(3 * Second).Counter).ShouldBeInRange((3 * Second) - 10, (3 * Second) + 10);
    }

    [Fact]
    public void A_counter_before_the_base_reads_as_the_base()
    {
        ClockLine line = ClockLine.Draw(null, Exact(Second), Exact(2 * Second), Second);
        line.At(line.BaseCounter - 1000).ShouldBe(2 * Second);
        line.At(0).ShouldBe(2 * Second);
    }

    [Theory]
    [InlineData(1.0, 0)] // the host's clock runs true
    [InlineData(1.0005, 0)] // NTP slews it, at its utmost rate
    [InlineData(0.9995, 0)]
    [InlineData(1.0, 800)] // samples are late and early by turns
    [InlineData(1.0003, 800)]
    public void Time_never_goes_back_and_comes_to_the_hosts(double rate, long noiseNs)
    {
        ClockSample from = Exact(Second);
        ClockLine? line = null;
        long last = 0;
        long error = 0;
        for (int i = 1; i <= 30; i++)
        {
            double counterNs = Second + (i * (double)Second);
            long hostNs = Second + (long)(i * (double)Second * rate);
            ClockSample now = At(counterNs, hostNs + (i % 2 == 0 ? noiseNs : -noiseNs));
            if (line is { } before)
            {
                error = Math.Abs(before.At(now.Counter) - hostNs);
                last = Math.Max(last, before.At(now.Counter));
            }

            ClockLine drawn = ClockLine.Draw(line, from, now, Second);
            for (int step = 0; step < 10; step++)
            {
                long read = drawn.At(now.Counter + (ulong)(step * CountsPerNs * Second / 10));
                read.ShouldBeGreaterThanOrEqualTo(last);
                last = read;
            }

            (line, from) = (drawn, now);
        }

        // A line goes on by the rate of the last period, and that is wrong by both of its samples' errors.
        error.ShouldBeLessThanOrEqualTo((6 * noiseNs) + 100);
    }

    [Fact]
    public void A_line_that_is_ahead_waits_for_the_host()
    {
        // Guessed from a short time: 0.9 ms too far within a second.
        ClockLine line = new(Exact(Second).Counter, Second, (ulong)(1.0009 / CountsPerNs * 4294967296.0));
        ClockSample from = Exact(Second);
        long error = 0;
        for (int i = 2; i < 8; i++)
        {
            ClockSample now = Exact(i * Second);
            error = line.At(now.Counter) - now.MonotonicNs;
            error.ShouldBeGreaterThanOrEqualTo(-1000);
            ClockLine next = ClockLine.Draw(line, from, now, Second);
            next.At(now.Counter).ShouldBe(line.At(now.Counter));
            (line, from) = (next, now);
        }

        error.ShouldBeLessThan(1000);
    }

    [Fact]
    public void After_a_sleep_of_the_host_it_jumps_ahead()
    {
        ClockLine line = ClockLine.Draw(null, Exact(Second), Exact(2 * Second), Second);
        ClockSample awake = At(3 * Second, 3600 * Second);
        ClockLine.Draw(line, Exact(2 * Second), awake, Second).At(awake.Counter).ShouldBe(3600 * Second);
    }
}
