// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.IO;

namespace CVisor.Runsc.Sandbox;

/// <summary>Where the host's control groups are mounted.</summary>
internal sealed class CgroupMounts
{
    /// <summary>cgroup v1 hierarchies by controller.</summary>
    public Dictionary<string, string> V1 { get; } = new(StringComparer.Ordinal);

    /// <summary>The unified hierarchy; null when there is none.</summary>
    public string? V2 { get; private set; }

    /// <summary>Reads /proc/self/mountinfo.</summary>
    public static CgroupMounts Read()
    {
        CgroupMounts mounts = new();
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            int dash = line.IndexOf(" - cgroup", StringComparison.Ordinal);
            if (dash < 0)
            {
                continue;
            }

            string path = line.Split(' ')[4];
            string[] tail = line[(dash + 3)..].Split(' ');
            if (tail[0] == "cgroup2")
            {
                mounts.V2 ??= path;
            }
            else if (tail[0] == "cgroup")
            {
                foreach (string option in tail[2].Split(','))
                {
                    if (option is "cpu" or "cpuacct" or "cpuset" or "memory" or "pids" or "devices" or "freezer" or "blkio")
                    {
                        mounts.V1.TryAdd(option, path);
                    }
                }
            }
        }

        return mounts;
    }
}
