// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Turns a spec's process into what the sentry is told.</summary>
public static class ProcessPlanner
{
    /// <summary>Converts a validated process.</summary>
    /// <param name="process">The spec's process.</param>
    /// <param name="config">CAP_NET_RAW goes unless --net-raw is given.</param>
    public static ProcessSpec Plan(OciProcess process, RuntimeConfig config)
    {
        ulong allowed = config.NetRaw ? ulong.MaxValue : ~Capabilities.NetRaw;
        List<ResourceLimit> limits = [];
        foreach (OciRlimit limit in process.Rlimits ?? [])
        {
            limits.Add(new ResourceLimit(Rlimits.Number(limit.Type!), limit.Soft, limit.Hard));
        }

        return new ProcessSpec
        {
            Args = GuestText.FromText(process.Args!),
            Env = GuestText.FromText(process.Env ?? []),
            Cwd = GuestText.FromText(process.Cwd!),
            Uid = process.User?.Uid ?? 0,
            Gid = process.User?.Gid ?? 0,
            AdditionalGids = process.User?.AdditionalGids ?? [],
            Umask = process.User?.Umask is { } umask ? (int)(umask & 0x1FF) : -1,
            Capabilities = process.Capabilities is { } sets
                ? new CapabilitySets
                {
                    Bounding = Capabilities.Mask(sets.Bounding) & allowed,
                    Effective = Capabilities.Mask(sets.Effective) & allowed,
                    Inheritable = Capabilities.Mask(sets.Inheritable) & allowed,
                    Permitted = Capabilities.Mask(sets.Permitted) & allowed,
                    Ambient = Capabilities.Mask(sets.Ambient) & allowed,
                }
                : null,
            Rlimits = [.. limits],
            NoNewPrivileges = process.NoNewPrivileges,
            Terminal = process.Terminal,
            ConsoleWidth = (int)Math.Min(process.ConsoleSize?.Width ?? 0, ushort.MaxValue),
            ConsoleHeight = (int)Math.Min(process.ConsoleSize?.Height ?? 0, ushort.MaxValue),
            OomScoreAdj = process.OomScoreAdj ?? 0,
        };
    }
}
