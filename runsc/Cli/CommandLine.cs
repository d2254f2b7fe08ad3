// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>A command line taken apart.</summary>
/// <param name="Globals">The global flags.</param>
/// <param name="Command">The subcommand; null when the line has none.</param>
/// <param name="Flags">The subcommand's flags.</param>
/// <param name="Arguments">The positional arguments.</param>
/// <param name="CommandStart">Where the subcommand stands in the original argument list.</param>
/// <param name="ArgumentsStart">Where the positional arguments begin there.</param>
public sealed record CommandLine(ParsedFlags Globals, CommandDefinition? Command, ParsedFlags Flags, string[] Arguments, int CommandStart, int ArgumentsStart);

/// <summary>The command line is wrong.</summary>
/// <param name="message">One line, for the user.</param>
public sealed class CommandLineException(string message) : Exception(message);
