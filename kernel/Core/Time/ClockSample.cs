// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Core.Time;

/// <summary>The processor's counter and the host's clocks at one moment.</summary>
internal readonly record struct ClockSample(ulong Counter, long MonotonicNs, long RealtimeNs)
{
    private const int Tries = 16;

    /// <summary>How far apart the two readings around a sample may be for it to count; a preempted reader samples again.</summary>
    private const long GoodNs = 1_000;

    /// <summary>Reads them; of several tries the one with the least time in between.</summary>
    internal static ClockSample Take()
    {
        ClockSample best = default;
        long bestNs = long.MaxValue;
        for (int i = 0; i < Tries && bestNs > GoodNs; i++)
        {
            long before = KernelClock.MonotonicNs;
            ulong counter = HostProcessor.ReadTimestampCounter();
            long realtime = KernelClock.RealtimeNs;
            long after = KernelClock.MonotonicNs;
            if (after - before < bestNs)
            {
                bestNs = after - before;
                best = new ClockSample(counter, before + ((after - before) / 2), realtime);
            }
        }

        return best;
    }
}
