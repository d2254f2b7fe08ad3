// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Core.Time;

/// <summary>The kernel's clocks, in nanoseconds. The one place that reads the host's.</summary>
public static class KernelClock
{
    private const int HostRealtime = 0, HostMonotonic = 1;

    /// <summary>CLOCK_MONOTONIC: since an unspecified start, never backwards.</summary>
    public static long MonotonicNs => Read(HostMonotonic);

    /// <summary>CLOCK_REALTIME: since the epoch.</summary>
    public static long RealtimeNs => Read(HostRealtime);

    private static long Read(int clock)
    {
        HostTimespec time = default;
        _ = HostCalls.ClockGettime(clock, ref time);
        return time.TotalNs;
    }
}
