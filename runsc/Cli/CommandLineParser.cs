// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>
/// Parses gVisor's command line: Go's flag syntax (<c>-flag</c>, <c>--flag</c>, <c>--flag=v</c>, <c>--flag v</c>), global
/// flags before the subcommand, the subcommand's own after it, the first other word ends the flags.
/// </summary>
/// <remarks>
/// Written by hand instead of with System.CommandLine 3.0.0: there options and arguments mix, so that <c>do ls -l</c> needs
/// a "--"; a Boolean with a value takes the next word (<c>--debug false list</c>); each single-dash spelling is an alias
/// of its own. It also costs about 1 ms and 1.8 MB (NativeAOT, 60 options, 11 commands), of a budget of 15 ms for a run.
/// </remarks>
public static class CommandLineParser
{
    /// <summary>Parses.</summary>
    /// <exception cref="CommandLineException">Unknown flag or command, wrong value or count.</exception>
    public static CommandLine Parse(string[] args)
    {
        ParsedFlags globals = new(GlobalGrammar.Flags);
        int next = ParseFlags(args, 0, globals, "");
        if (next == args.Length)
        {
            return new CommandLine(globals, null, new ParsedFlags([]), [], next, next);
        }

        CommandDefinition command = CommandGrammar.Find(args[next])
            ?? throw new CommandLineException($"unknown command \"{args[next]}\"; \"runsc help\" lists the commands");
        ParsedFlags flags = new(command.Flags);
        int start = ParseFlags(args, next + 1, flags, command.Name);
        string[] arguments = args[start..];
        if (arguments.Length < command.MinArguments || arguments.Length > command.MaxArguments)
        {
            throw new CommandLineException($"{command.Name}: wrong number of arguments; usage: runsc {command.Name} [flags] {command.Arguments}");
        }

        return new CommandLine(globals, command, flags, arguments, next, start);
    }

    /// <summary>Takes flags until the first other word; returns where that is.</summary>
    private static int ParseFlags(string[] args, int index, ParsedFlags flags, string command)
    {
        string where = command.Length == 0 ? "" : command + ": ";
        while (index < args.Length)
        {
            string word = args[index];
            if (word.Length < 2 || word[0] != '-')
            {
                return index;
            }

            index++;
            if (word == "--")
            {
                return index;
            }

            string body = word[1] == '-' ? word[2..] : word[1..];
            int equals = body.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? body : body[..equals];
            if (name is "help" or "h" && flags.Find(name) is null)
            {
                throw new HelpRequestedException(command);
            }

            FlagDefinition definition = flags.Find(name)
                ?? throw new CommandLineException($"{where}unknown flag --{name}" + (command.Length > 0 && Array.Exists(GlobalGrammar.Flags, global => global.Name == name) ? "; it is a global flag and goes before the command" : ""));
            string value;
            if (equals >= 0)
            {
                value = body[(equals + 1)..];
            }
            else if (definition.Kind == FlagKind.Boolean)
            {
                value = "true";
            }
            else if (index < args.Length)
            {
                value = args[index++];
            }
            else
            {
                throw new CommandLineException($"{where}flag --{name} needs a value");
            }

            if (flags.Set(definition, value) is { } complaint)
            {
                throw new CommandLineException(where + complaint);
            }
        }

        return index;
    }
}
