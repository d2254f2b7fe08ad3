// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CliWrap;

namespace CVisor.Tests.Support;

/// <summary>Runs commands of the host, with a deadline.</summary>
public static class Command
{
    /// <summary>The exit code reported for a command that was killed at its deadline.</summary>
    public const int TimedOut = -1000;

    // How long after the kill we wait for the output to end: a process that escaped it must not hold up the tests.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(5);

    /// <summary>Runs a command to its end and gives its status and output, both as Latin-1 so that every byte survives.</summary>
    /// <param name="program">The program's path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">What it reads on standard input; nothing by default.</param>
    /// <param name="timeout">When it is killed; 60 seconds by default.</param>
    /// <param name="environment">Variables to set, or to remove where null.</param>
    /// <param name="workingDirectory">Where it runs; the repository's root by default.</param>
    /// <returns>How it ended.</returns>
    public static async Task<CommandResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        string input = "",
        TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null)
    {
        StringBuilder output = new();
        StringBuilder error = new();
        TimeSpan allowed = timeout ?? TimeSpan.FromSeconds(60);
        using CancellationTokenSource deadline = new(allowed);
        CliWrap.Command command = Cli.Wrap(program)
            .WithArguments(arguments)
            .WithWorkingDirectory(workingDirectory ?? RepositoryPaths.Root)
            .WithEnvironmentVariables(environment ?? new Dictionary<string, string?>())
            .WithStandardInputPipe(PipeSource.FromBytes(Encoding.Latin1.GetBytes(input)))
            .WithStandardOutputPipe(PipeTarget.ToStringBuilder(output, Encoding.Latin1))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(error, Encoding.Latin1))
            .WithValidation(CommandResultValidation.None);
        try
        {
            CliWrap.CommandResult result = await command.ExecuteAsync(deadline.Token).Task.WaitAsync(allowed + s_grace).ConfigureAwait(false);
            return new CommandResult(result.ExitCode, output.ToString(), error.ToString());
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return new CommandResult(TimedOut, output.ToString(), error.ToString());
        }
        catch (TimeoutException)
        {
            return new CommandResult(TimedOut, output.ToString(), $"{error}\n(killed, but something of it still holds its output open)");
        }
    }

    /// <summary>Runs a command that must end with 0 and gives its output.</summary>
    /// <param name="program">The program's path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">The command failed.</exception>
    public static async Task<string> MustAsync(string program, params string[] arguments)
    {
        CommandResult result = await RunAsync(program, arguments, timeout: TimeSpan.FromMinutes(8)).ConfigureAwait(false);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {result}");
    }
}
