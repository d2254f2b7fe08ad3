// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Tests.Support;

/// <summary>How a command ended.</summary>
/// <param name="ExitCode">Its exit status; <see cref="Command.TimedOut"/> when it had to be killed.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>True when the command outlived its timeout and was killed.</summary>
    public bool HasTimedOut => ExitCode == Command.TimedOut;

    /// <summary>The status and both outputs, for a failure's message.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        $"{(HasTimedOut ? "killed at its timeout" : $"exit status {ExitCode}")}\nstdout: {Output}\nstderr: {Error}";
}
