// SPDX-License-Identifier: Apache-2.0
using System.Text;

namespace CVisor.Runsc.Cli;

/// <summary>The texts of <c>help</c>.</summary>
public static class HelpText
{
    /// <summary>The help of the whole program.</summary>
    public static string Program()
    {
        StringBuilder text = new("runsc runs OCI containers in an application kernel.\n\nUsage: runsc [global flags] <command> [flags] [arguments]\n\nCommands:\n");
        foreach (CommandDefinition command in CommandGrammar.Commands)
        {
            _ = text.Append("  ").Append(command.Name.PadRight(10)).Append(command.Summary).Append('\n');
        }

        _ = text.Append("\nGlobal flags:\n");
        Flags(text, GlobalGrammar.Flags);
        return text.ToString();
    }

    /// <summary>The help of a subcommand.</summary>
    public static string Command(CommandDefinition command)
    {
        StringBuilder text = new($"Usage: runsc [global flags] {command.Name} [flags] {command.Arguments}\n\n{command.Summary}\n");
        if (command.Flags.Length > 0)
        {
            _ = text.Append("\nFlags:\n");
            Flags(text, command.Flags);
        }

        return text.ToString();
    }

    private static void Flags(StringBuilder text, FlagDefinition[] flags)
    {
        foreach (FlagDefinition flag in flags)
        {
            if (flag.Hidden)
            {
                continue;
            }

            string head = flag.Kind == FlagKind.Boolean ? "--" + flag.Name : $"--{flag.Name}=VALUE";
            _ = text.Append("  ").Append(head.PadRight(28)).Append(' ').Append(flag.Help);
            if (flag.Values.Length > 0)
            {
                _ = text.Append(" (").Append(string.Join(", ", flag.Values)).Append(')');
            }

            if (flag.Default.Length > 0 && flag.Default != "false")
            {
                _ = text.Append("; default ").Append(flag.Default);
            }

            _ = text.Append('\n');
        }
    }
}
