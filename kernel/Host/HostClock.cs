// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;

namespace CVisor.Host;

/// <summary>The host's clock that the vDSO tells. What guests see of time goes through the kernel's own clocks.</summary>
public static class HostClock
{
    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
#pragma warning disable RS0030 // This is the place: the runtime reads it without a system call, in nanoseconds.
    public static long MonotonicNs => Stopwatch.GetTimestamp();
#pragma warning restore RS0030
}
