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
        const long TickNs = 10_000_000;
        StringBuilder lines = new();
        long user = 0;
        long system = 0;
        long idle = 0;
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            ProcessorTime used = kernel.Scheduler.TimeOf(cpu);
            long unused = Math.Max(0, UptimeNs - used.TotalNs);
            _ = lines.Append(CultureInfo.InvariantCulture, $"cpu{cpu} {used.UserNs / TickNs} 0 {used.SystemNs / TickNs} {unused / TickNs} 0 0 0 0 0 0\n");
            (user, system, idle) = (user + used.UserNs, system + used.SystemNs, idle + unused);
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"cpu  {user / TickNs} 0 {system / TickNs} {idle / TickNs} 0 0 0 0 0 0\n").Append(lines);
        long bootSeconds = (KernelClock.RealtimeNs - UptimeNs) / 1_000_000_000;
        _ = text.Append(CultureInfo.InvariantCulture, $"intr 0\nctxt 0\nbtime {bootSeconds}\nprocesses {kernel.Tasks.ForkCount}\nprocs_running {kernel.Tasks.CountRunning()}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
    }

    internal void WriteLoad(StringBuilder text)
    {
        (double one, double five, double fifteen) = kernel.Load.Read();
        _ = text.Append(CultureInfo.InvariantCulture, $"{one:F2} {five:F2} {fifteen:F2} {kernel.Tasks.CountRunning()}/{kernel.Tasks.ThreadCount} {kernel.Tasks.ForkCount}\n");
    }

    internal void WriteUptime(StringBuilder text)
    {
        long idle = 0;
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            idle += Math.Max(0, UptimeNs - kernel.Scheduler.TimeOf(cpu).TotalNs);
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"{UptimeNs / 1e9:F2} {idle / 1e9:F2}\n");
    }
}
