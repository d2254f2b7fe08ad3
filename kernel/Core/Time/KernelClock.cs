// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Core.Time;

/// <summary>The kernel's clocks, in nanoseconds. The one place where guest-visible time comes from.</summary>
public static class KernelClock
{
    /// <summary>Nanoseconds in a second.</summary>
    public const long NsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds in a clock tick (sysconf(_SC_CLK_TCK) is 100).</summary>
    public const long NsPerTick = NsPerSecond / 100;

    private const int HostRealtime = 0;

    /// <summary>When the sandbox started, on the monotonic clock.</summary>
    public static long BootNs { get; } = MonotonicNs;

    /// <summary>CLOCK_MONOTONIC: since an unspecified start, never backwards.</summary>
    public static long MonotonicNs => HostClock.MonotonicNs;

    /// <summary>CLOCK_REALTIME: since the epoch.</summary>
    public static long RealtimeNs => Read(HostRealtime);

    private static long Read(int clock)
    {
        HostTimespec time = default;
        _ = HostCalls.ClockGettime(clock, ref time);
        return time.TotalNs;
    }
}
