// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>The commands about processes.</summary>
internal static class ProcessGrammar
{
    internal static readonly CommandDefinition Exec = new("exec", "<container id> [command [arguments...]]", "Runs a further process in a running container",
        [
            FlagDefinition.Text("cwd", "working directory"),
            FlagDefinition.List("env", "NAME=value to add to the environment"),
            FlagDefinition.List("e", "short for --env") with { Hidden = true },
            FlagDefinition.Text("user", "uid[:gid]"),
            FlagDefinition.Text("u", "short for --user") with { Hidden = true },
            FlagDefinition.List("additional-gids", "supplementary group"),
            FlagDefinition.List("cap", "capability to add"),
            FlagDefinition.Switch("detach", "return once the process runs"),
            FlagDefinition.Switch("d", "short for --detach") with { Hidden = true },
            FlagDefinition.Switch("tty", "make the terminal we run in that of the process"),
            FlagDefinition.Switch("t", "short for --tty") with { Hidden = true },
            FlagDefinition.Text("process", "file with the process as JSON"),
            FlagDefinition.Text("p", "short for --process") with { Hidden = true },
            FlagDefinition.Text("pid-file", "file to which the PID of the waiting host process is written"),
            FlagDefinition.Text("internal-pid-file", "file to which the PID in the container is written"),
            FlagDefinition.Text("console-socket", "unix socket to which the terminal's master is sent"),
            FlagDefinition.Integer("preserve-fds", "pass so many descriptors, from 3 up", 0),
            FlagDefinition.List("pass-fd", "pass our descriptor M to the process as N, given as M:N"),
            FlagDefinition.Integer("sync-fd", "internal: this process waits for a detached one and reports its start here", -1) with { Hidden = true },
        ], 1);

    internal static readonly CommandDefinition Ps = new("ps", "<container id>", "Lists a container's processes",
        [FlagDefinition.Text("format", "how to print them", "table", "table", "json"), FlagDefinition.Text("f", "short for --format", "table", "table", "json") with { Hidden = true }], 1, 2);

    internal static readonly CommandDefinition List = new("list", "", "Lists the containers under --root",
        [
            FlagDefinition.Text("format", "how to print them", "text", "text", "table", "json"),
            FlagDefinition.Text("f", "short for --format", "text", "text", "table", "json") with { Hidden = true },
            FlagDefinition.Switch("quiet", "ids only"),
            FlagDefinition.Switch("q", "short for --quiet") with { Hidden = true },
            FlagDefinition.Switch("sandbox", "sandboxes only; here every container is one"),
        ], 0, 0);
}
