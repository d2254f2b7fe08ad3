// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>The commands around containers.</summary>
internal static class HelperGrammar
{
    internal static readonly CommandDefinition Do = new("do", "<command> [arguments...]", "Runs a command of the host's root in a sandbox; its writes stay in memory",
        [
            FlagDefinition.Text("root", "directory that becomes the root", "/"),
            FlagDefinition.Text("cwd", "working directory, as seen from the root", "."),
            FlagDefinition.Text("ip", "accepted for compatibility; there is no outside network yet", "192.168.10.2") with { Hidden = true },
            FlagDefinition.Switch("quiet", "say nothing oneself"),
            FlagDefinition.Switch("force-overlay", "writes go to memory, whatever --overlay2 says", true),
            FlagDefinition.List("uid-map", "container-id host-id count, for the user namespace"),
            FlagDefinition.List("gid-map", "container-id host-id count, for the user namespace"),
            FlagDefinition.List("volume", "SRC[:DST]: a writable bind mount"),
            FlagDefinition.List("v", "short for --volume") with { Hidden = true },
        ], 1);

    internal static readonly CommandDefinition Spec = new("spec", "[-- arguments...]", "Writes a config.json to begin with",
        [
            FlagDefinition.Text("bundle", "directory to write to", "."),
            FlagDefinition.Text("b", "short for --bundle", ".") with { Hidden = true },
            FlagDefinition.Text("cwd", "working directory of the process", "/"),
            FlagDefinition.Text("netns", "network namespace to join"),
        ], 0);

    internal static readonly CommandDefinition Features = new("features", "", "Prints what this runtime can do as JSON", [], 0, 0);

    internal static readonly CommandDefinition Help = new("help", "[command]", "Prints help", [], 0, 1);
}
