// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>A subcommand.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">Its positional arguments, for the usage line.</param>
/// <param name="Summary">What it does, one line.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="MinArguments">The fewest positional arguments.</param>
/// <param name="MaxArguments">The most.</param>
public sealed record CommandDefinition(string Name, string Arguments, string Summary, FlagDefinition[] Flags, int MinArguments, int MaxArguments = int.MaxValue);
