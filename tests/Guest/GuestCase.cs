// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>What guest programs print, one line a case (tests/Guest/programs/guest.h).</summary>
/// <param name="Name">The case's name; <c>*</c> stands for the program as a whole.</param>
/// <param name="Outcome">How it went.</param>
/// <param name="Message">What was expected and what came, or why it was skipped.</param>
public sealed record GuestCase(string Name, GuestOutcome Outcome, string Message)
{
    /// <summary>Reads a program's output. A bad end that no case owns up to becomes a failure of the case <c>*</c>.</summary>
    /// <param name="result">How the program ended.</param>
    /// <returns>The cases in the order they ran.</returns>
    public static IReadOnlyList<GuestCase> Read(CommandResult result)
    {
        List<GuestCase> cases = [];
        foreach (string line in result.Output.Split('\n'))
        {
            if (line.StartsWith("ok ", StringComparison.Ordinal))
            {
                cases.Add(new GuestCase(line[3..].Trim(), GuestOutcome.Passed, ""));
            }
            else if (line.StartsWith("skip ", StringComparison.Ordinal))
            {
                string[] parts = line[5..].Split(": ", 2);
                cases.Add(new GuestCase(parts[0], GuestOutcome.Skipped, parts.ElementAtOrDefault(1) ?? ""));
            }
            else if (line.StartsWith("not ok ", StringComparison.Ordinal))
            {
                string[] parts = line[7..].Split(": ", 2);
                cases.Add(new GuestCase(parts[0], GuestOutcome.Failed, parts.ElementAtOrDefault(1) ?? ""));
            }
        }

        bool hasFailure = cases.Any(c => c.Outcome == GuestOutcome.Failed);
        if ((result.ExitCode != 0 && !(result.ExitCode == 1 && hasFailure)) || cases.Count == 0 || (result.ExitCode == 0 && hasFailure))
        {
            cases.Add(new GuestCase("*", GuestOutcome.Failed, result.ToString()));
        }

        return cases;
    }
}
