// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Commands;

/// <summary>Carries out a command.</summary>
public static class Dispatcher
{
    /// <summary>Runs the context's command.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(CommandContext context) => context.Line.Command!.Name switch
    {
        "create" => CreateCommand.Run(context),
        "start" => StartCommand.Run(context),
        "run" => RunCommand.Run(context),
        "state" => StateCommand.Run(context),
        "kill" => KillCommand.Run(context),
        "delete" => DeleteCommand.Run(context),
        "wait" => WaitCommand.Run(context),
        "exec" => ExecCommand.Run(context),
        "ps" => PsCommand.Run(context),
        "list" => ListCommand.Run(context),
        "do" => DoCommand.Run(context),
        "spec" => SpecCommand.Run(context),
        "features" => FeaturesCommand.Run(context),
        "help" => HelpCommand.Run(context),
        string name => throw new InvalidOperationException("no such command: " + name),
    };
}
