// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Host;
using CVisor.Host;
using CVisor.Runsc.Boot;
using CVisor.Runsc.Cli;
using CVisor.Runsc.Commands;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc;

/// <summary>The one binary: the command line, and by hidden subcommands the sandbox and the gofer process.</summary>
internal static class Program
{
    private static int Main(string[] args) => (args.Length > 0 ? args[0] : "") switch
    {
        "boot" => Boot(args[1..]),
        "gofer" => Gofer(args[1..]),
        _ => Run(args),
    };

    private static int Boot(string[] args)
    {
        BootConfig? config = null;
        try
        {
            config = ChildEntry.PrepareBoot(args, read => config = read);
        }
        catch (Exception error) when (error is HostException or InvalidOperationException)
        {
            _ = StartReport.Send(config?.Fds.Start ?? 2, new StartReport { Error = new ControlError(ControlErrorKind.Internal, "cannot confine the sandbox process: " + error.Message) });
            return ExitStatus.Failure;
        }

        return BootProgram.Main(config);
    }

    private static int Gofer(string[] args)
    {
        string[]? arguments = ChildEntry.PrepareGofer(args);
        return arguments is null ? ExitStatus.Failure : GoferProgram.Main(arguments);
    }

    private static int Run(string[] args)
    {
        string log = "";
        try
        {
            CommandLine line = CommandLineParser.Parse(args);
            log = line.Globals.Text("log");
            if (line.Globals.Boolean("version"))
            {
                HelpCommand.PrintVersion();
                return 0;
            }

            if (line.Command is null)
            {
                HelpCommand.Print("");
                return ExitStatus.Failure;
            }

            return Dispatcher.Run(new CommandContext(line, ConfigBinder.Bind(line.Globals), RawStrings.Arguments()));
        }
        catch (HelpRequestedException request)
        {
            HelpCommand.Print(request.Command);
            return 0;
        }
        catch (Exception error) when (error is CommandLineException or RunscException or HostException)
        {
            FailureLog.Report(error.Message, log.Length > 0 ? log : LogOf(args));
            return ExitStatus.Failure;
        }
    }

    /// <summary>The file of --log on a command line that did not parse: the failure belongs there nevertheless.</summary>
    private static string LogOf(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i].TrimStart('-');
            if (args[i].StartsWith('-') && name == "log" && i + 1 < args.Length)
            {
                return args[i + 1];
            }

            if (args[i].StartsWith('-') && name.StartsWith("log=", StringComparison.Ordinal))
            {
                return name[4..];
            }
        }

        return "";
    }
}
