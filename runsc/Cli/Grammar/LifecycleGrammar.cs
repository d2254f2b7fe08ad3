// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>The commands of a container's life.</summary>
internal static class LifecycleGrammar
{
    private static readonly FlagDefinition[] s_createFlags =
    [
        FlagDefinition.Text("bundle", "directory with config.json; by default the working directory"),
        FlagDefinition.Text("b", "short for --bundle") with { Hidden = true },
        FlagDefinition.Text("console-socket", "unix socket to which the terminal's master is sent"),
        FlagDefinition.Text("pid-file", "file to which the sandbox's PID is written"),
        FlagDefinition.Text("user-log", "file for messages to the container's user"),
        FlagDefinition.Switch("no-pivot", "accepted for compatibility with runc") with { Hidden = true },
        FlagDefinition.Switch("no-new-keyring", "accepted for compatibility with runc") with { Hidden = true },
        FlagDefinition.Integer("preserve-fds", "pass so many descriptors, from 3 up", 0),
        FlagDefinition.List("pass-fd", "pass our descriptor M to the container as N, given as M:N"),
    ];

    internal static readonly CommandDefinition Create = new("create", "<container id>", "Makes a container without starting its process", s_createFlags, 1, 1);

    internal static readonly CommandDefinition Start = new("start", "<container id>", "Starts the process of a made container", [], 1, 1);

    internal static readonly CommandDefinition Run = new("run", "<container id>", "Makes and starts a container; waits for its end unless detached",
        [.. s_createFlags, FlagDefinition.Switch("detach", "return once the process runs"), FlagDefinition.Switch("d", "short for --detach") with { Hidden = true }, FlagDefinition.Switch("keep", "leave the state behind after the end") with { Hidden = true }], 1, 1);

    internal static readonly CommandDefinition State = new("state", "<container id>", "Prints a container's state as JSON", [], 1, 1);

    internal static readonly CommandDefinition Kill = new("kill", "<container id> [signal]", "Sends a signal, by default TERM, to a container",
        [
            FlagDefinition.Switch("all", "to every process of the container"),
            FlagDefinition.Switch("a", "short for --all") with { Hidden = true },
            FlagDefinition.Integer("pid", "to this process of the container", 0),
            FlagDefinition.Integer("pgid", "to this process group of the container", 0),
        ], 1, 2);

    internal static readonly CommandDefinition Delete = new("delete", "<container id> [container id...]", "Deletes stopped containers",
        [FlagDefinition.Switch("force", "kill those that still run"), FlagDefinition.Switch("f", "short for --force") with { Hidden = true }], 1);

    internal static readonly CommandDefinition Wait = new("wait", "<container id>", "Waits for a container's process and prints its exit status as JSON",
        [
            FlagDefinition.Integer("rootpid", "wait for this process (PID in the sandbox)", -1),
            FlagDefinition.Integer("pid", "wait for this process (PID in the container)", -1),
        ], 1, 1);
}
