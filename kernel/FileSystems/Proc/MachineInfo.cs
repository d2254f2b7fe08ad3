// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.FileSystems.Proc;

/// <summary>What /proc tells of the machine.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="cpuCount">Processors that the guest sees.</param>
/// <param name="totalMemoryBytes">Memory that the guest sees, in bytes.</param>
internal sealed class MachineInfo(Kernel kernel, int cpuCount, ulong totalMemoryBytes)
{
    /// <summary>When the sandbox began, on the monotonic clock.</summary>
    internal long StartNs { get; } = KernelClock.MonotonicNs;

    internal long UptimeNs => KernelClock.MonotonicNs - StartNs;

    internal void WriteMemory(StringBuilder text)
    {
        ulong used = Math.Min(totalMemoryBytes, (ulong)Math.Max(0, kernel.Memory.UsedBytes));
        ulong free = totalMemoryBytes - used;
        foreach ((string name, ulong bytes) in ((string, ulong)[])[
            ("MemTotal", totalMemoryBytes), ("MemFree", free), ("MemAvailable", free), ("Buffers", 0), ("Cached", 0), ("SwapCached", 0), ("Active", used), ("Inactive", 0),
            ("Active(anon)", used), ("Inactive(anon)", 0), ("Active(file)", 0), ("Inactive(file)", 0), ("Unevictable", 0), ("Mlocked", 0), ("SwapTotal", 0), ("SwapFree", 0),
            ("Dirty", 0), ("Writeback", 0), ("AnonPages", used), ("Mapped", 0), ("Shmem", 0)])
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"{name + ":",-15} {bytes / 1024,8} kB\n");
        }
    }

    internal void WriteProcessors(StringBuilder text)
    {
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"processor\t: {cpu}\n");
            ProcessorDescription.Write(text, cpu, cpuCount);
            _ = text.Append('\n');
        }
    }

    internal void WriteStatistics(StringBuilder text)
    {
        long ticks = UptimeNs / 10_000_000;
        _ = text.Append(CultureInfo.InvariantCulture, $"cpu  0 0 0 {ticks * cpuCount} 0 0 0 0 0 0\n");
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"cpu{cpu} 0 0 0 {ticks} 0 0 0 0 0 0\n");
        }

        long bootSeconds = (KernelClock.RealtimeNs - UptimeNs) / 1_000_000_000;
        _ = text.Append(CultureInfo.InvariantCulture, $"intr 0\nctxt 0\nbtime {bootSeconds}\nprocesses {kernel.Tasks.ForkCount}\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
    }

    internal void WriteUptime(StringBuilder text)
    {
        double seconds = UptimeNs / 1e9;
        _ = text.Append(CultureInfo.InvariantCulture, $"{seconds:F2} {seconds * cpuCount:F2}\n");
    }
}
