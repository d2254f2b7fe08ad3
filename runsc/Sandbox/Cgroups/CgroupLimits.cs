// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Writes a spec's limits into a cgroup's files.</summary>
internal static class CgroupLimits
{
    /// <summary>Sets the limits of one v1 controller.</summary>
    public static void SetV1(string controller, string directory, OciResources? resources)
    {
        switch (controller)
        {
            case "memory" when resources?.Memory is { } memory:
                Set(directory, "memory.limit_in_bytes", memory.Limit, "memory.limit");
                Set(directory, "memory.soft_limit_in_bytes", memory.Reservation, "memory.reservation");

                // Kernels without swap accounting lack this file; the limit proper stands without it.
                if (File.Exists(Path.Combine(directory, "memory.memsw.limit_in_bytes")))
                {
                    Set(directory, "memory.memsw.limit_in_bytes", memory.Swap, "memory.swap");
                }

                break;
            case "cpu" when resources?.Cpu is { } cpu:
                Set(directory, "cpu.shares", (long?)cpu.Shares, "cpu.shares");
                Set(directory, "cpu.cfs_period_us", (long?)cpu.Period, "cpu.period");
                Set(directory, "cpu.cfs_quota_us", cpu.Quota, "cpu.quota");
                break;
            case "cpuset":
                SetText(directory, "cpuset.cpus", resources?.Cpu?.Cpus, "cpu.cpus");
                SetText(directory, "cpuset.mems", resources?.Cpu?.Mems, "cpu.mems");
                break;
            case "pids" when resources?.Pids?.Limit is { } limit && limit != 0:
                SetText(directory, "pids.max", Maximum(limit), "pids.limit");
                break;
        }
    }

    /// <summary>Sets the limits of a v2 group.</summary>
    public static void SetV2(string directory, OciResources? resources)
    {
        if (resources?.Memory is { } memory)
        {
            SetMaximum(directory, "memory.max", memory.Limit, "memory.limit");
            SetMaximum(directory, "memory.low", memory.Reservation, "memory.reservation");
            if (memory.Swap is > 0 && memory.Limit is > 0)
            {
                // v1 counts memory and swap together, v2 swap alone.
                SetMaximum(directory, "memory.swap.max", Math.Max(memory.Swap.Value - memory.Limit.Value, 0), "memory.swap", zeroCounts: true);
            }
        }

        if (resources?.Cpu is { } cpu)
        {
            if (cpu.Shares is > 0)
            {
                // The conversion that every v2 runtime makes: 2..262144 to 1..10000.
                ulong shares = Math.Clamp(cpu.Shares.Value, 2UL, 262144UL);
                SetText(directory, "cpu.weight", (1 + ((shares - 2) * 9999 / 262142)).ToString(CultureInfo.InvariantCulture), "cpu.shares");
            }

            if (cpu.Quota is > 0 || cpu.Period is > 0)
            {
                string quota = cpu.Quota is > 0 ? cpu.Quota.Value.ToString(CultureInfo.InvariantCulture) : "max";
                SetText(directory, "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{quota} {cpu.Period ?? 100000}"), "cpu.quota");
            }

            SetText(directory, "cpuset.cpus", cpu.Cpus, "cpu.cpus");
            SetText(directory, "cpuset.mems", cpu.Mems, "cpu.mems");
        }

        SetMaximum(directory, "pids.max", resources?.Pids?.Limit, "pids.limit");
    }

    private static void Set(string directory, string file, long? value, string field)
    {
        if (value is { } number && number != 0)
        {
            SetText(directory, file, number.ToString(CultureInfo.InvariantCulture), field);
        }
    }

    private static void SetMaximum(string directory, string file, long? value, string field, bool zeroCounts = false)
    {
        if (value is { } number && (number != 0 || zeroCounts))
        {
            SetText(directory, file, Maximum(number), field);
        }
    }

    private static void SetText(string directory, string file, string? value, string field)
    {
        if (!string.IsNullOrEmpty(value))
        {
            ContainerCgroup.Write(Path.Combine(directory, file), value, $"set linux.resources.{field}");
        }
    }

    private static string Maximum(long limit) => limit < 0 ? "max" : limit.ToString(CultureInfo.InvariantCulture);
}
