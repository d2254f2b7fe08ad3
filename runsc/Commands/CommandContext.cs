// SPDX-License-Identifier: Apache-2.0
using System.IO;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Cli;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary>What every command has at hand.</summary>
public sealed class CommandContext
{
    private readonly int _debugLog;

    /// <summary>Makes the context of a parsed command line that has a command.</summary>
    public CommandContext(CommandLine line, RuntimeConfig config, string[] rawArguments)
    {
        Line = line;
        Config = config;
        RawArguments = rawArguments;
        Store = new StateStore(config.Root);
        _debugLog = DebugLogFile.Open(config, line.Command!.Name, line.Arguments.Length > 0 ? line.Arguments[0] : "");
    }

    /// <summary>The command line.</summary>
    public CommandLine Line { get; }

    /// <summary>The global flags.</summary>
    public RuntimeConfig Config { get; }

    /// <summary>The state directory.</summary>
    public StateStore Store { get; }

    /// <summary>The whole command line as bytes, one char each: an argument need not be UTF-8.</summary>
    public string[] RawArguments { get; }

    /// <summary>The command's flags.</summary>
    public ParsedFlags Flags => Line.Flags;

    /// <summary>The first positional argument: the container's id where there is one.</summary>
    public string Id => Line.Arguments[0];

    /// <summary>The value of a flag that has a long and a short name.</summary>
    public string Text(string name, string shortName) => Flags.IsSet(shortName) ? Flags.Text(shortName) : Flags.Text(name);

    /// <summary>The value of a switch that has a long and a short name.</summary>
    public bool Boolean(string name, string shortName) => Flags.Boolean(name) || Flags.Boolean(shortName);

    /// <summary>Notes something in the debug log.</summary>
    public void Debug(string text) => DebugLogFile.WriteLine(_debugLog, text);

    /// <summary>Writes text to standard output.</summary>
    /// <remarks>Not by the console classes: they cost more to start than the whole command.</remarks>
    public static void Print(string text)
    {
        HostResult result = HostIo.WriteAll(1, Encoding.UTF8.GetBytes(text));
        if (result.IsError && result.Error != HostErrno.EPIPE)
        {
            throw new RunscException($"cannot write to standard output: {result.Error}");
        }
    }

    /// <summary>An absolute path of a file named on the command line.</summary>
    public static string FullPath(string path) => path.Length == 0 ? "" : Path.GetFullPath(path);
}
