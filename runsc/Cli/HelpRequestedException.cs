// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>The command line asks for help instead of an action.</summary>
/// <param name="command">The subcommand asked about; empty for the whole program.</param>
public sealed class HelpRequestedException(string command) : Exception
{
    /// <summary>The subcommand asked about; empty for the whole program.</summary>
    public string Command { get; } = command;
}
