// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text.Json;
using CVisor.Runsc.Cli;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary><c>features</c>.</summary>
internal static class FeaturesCommand
{
    /// <summary>Prints the features document.</summary>
    public static int Run(CommandContext context)
    {
        Dictionary<string, string> annotations = new(StringComparer.Ordinal)
        {
            ["org.cvisor.version"] = HelpCommand.Version,
        };
        foreach (FlagDefinition flag in context.Line.Globals.Definitions)
        {
            if (!flag.Hidden && flag.Name != "version")
            {
                annotations["dev.gvisor.flag." + flag.Name] = flag.Default;
            }
        }

        OciFeatures features = new()
        {
            OciVersionMin = "1.0.0",
            OciVersionMax = SpecFile.SpecVersion,
            Hooks = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"],
            MountOptions = [.. MountOptions.Known],
            Linux = new OciLinuxFeatures
            {
                Namespaces = ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
                Capabilities = Capabilities.Names.ToArray(),
                Cgroup = new OciCgroupFeatures { V1 = true, V2 = true },
                Seccomp = new OciEnabled(),
                Apparmor = new OciEnabled(),
                Selinux = new OciEnabled(),
                IntelRdt = new OciEnabled(),
            },
            Annotations = annotations,
        };
        CommandContext.Print(JsonSerializer.Serialize(features, OciJsonContext.Default.OciFeatures) + "\n");
        return 0;
    }
}
