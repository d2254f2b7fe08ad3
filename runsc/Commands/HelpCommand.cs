// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Cli;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary><c>help</c>.</summary>
public static class HelpCommand
{
    /// <summary>Prints help on the program or a command.</summary>
    internal static int Run(CommandContext context)
    {
        Print(context.Line.Arguments.Length > 0 ? context.Line.Arguments[0] : "");
        return 0;
    }

    /// <summary>Prints help.</summary>
    /// <param name="command">The command asked about; empty for the program.</param>
    public static void Print(string command)
    {
        CommandDefinition? definition = CommandGrammar.Find(command);
        if (command.Length > 0 && definition is null)
        {
            throw new RunscException($"unknown command \"{command}\"; \"runsc help\" lists the commands");
        }

        CommandContext.Print(definition is null ? HelpText.Program() : HelpText.Command(definition));
    }

    /// <summary>Prints the version.</summary>
    public static void PrintVersion() => CommandContext.Print($"runsc version {Version}\nspec: {SpecFile.SpecVersion}\n");

    /// <summary>The program's version.</summary>
    internal const string Version = "0.1.0";
}
