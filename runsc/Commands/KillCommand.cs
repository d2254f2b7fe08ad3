// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>kill</c>.</summary>
internal static class KillCommand
{
    /// <summary>Sends a signal.</summary>
    public static int Run(CommandContext context)
    {
        string name = context.Line.Arguments.Length > 1 ? context.Line.Arguments[1] : "TERM";
        int signal = SignalNames.Parse(name);
        if (signal < 0)
        {
            throw new RunscException($"unknown signal \"{name}\"");
        }

        bool isAll = context.Boolean("all", "a");
        long pid = context.Flags.Integer("pid");
        long group = context.Flags.Integer("pgid");
        if ((isAll ? 1 : 0) + (pid != 0 ? 1 : 0) + (group != 0 ? 1 : 0) > 1)
        {
            throw new RunscException("--all, --pid and --pgid exclude each other");
        }

        if (pid is < 0 or > int.MaxValue || group is < 0 or > int.MaxValue)
        {
            throw new RunscException("--pid and --pgid must be above zero");
        }

        Container container = Container.Load(context.Store, context.Id);
        if (isAll && container.Status() == ContainerStatus.Stopped)
        {
            // As runc: all of none is fine.
            return 0;
        }

        container.Signal(new SignalRequest
        {
            Signal = signal,
            Pid = (int)(pid != 0 ? pid : group),
            Target = isAll ? SignalTarget.All : group != 0 ? SignalTarget.Group : SignalTarget.Process,
        });
        return 0;
    }
}
