// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Guest.Tests;

/// <summary>The stressors of stress-ng that the tests run (stressors.txt), and how long.</summary>
internal static class Stressors
{
    private const string SecondsVariable = "CVISOR_STRESS_SECONDS";

    // Of stress-ng's own classes; "signal" is one in later versions only, where the older have its stressors in "interrupt".
    private static readonly string[] s_classes = ["cpu", "memory", "vm", "pipe", "scheduler", "signal", "interrupt"];

    private static readonly ILookup<string, string> s_uses = File.ReadLines(Path.Combine(RepositoryPaths.Root, "tests", "Guest", "RealPrograms", "stressors.txt"))
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ')).ToLookup(words => words[0], words => words[1]);

    /// <summary>How long each stressor runs in the sandbox: CVISOR_STRESS_SECONDS, or one second.</summary>
    public static int Seconds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable(SecondsVariable), CultureInfo.InvariantCulture, out int seconds) ? seconds : 1;

    /// <summary>The stressors to run: a few of each class, or with CVISOR_STRESS_SECONDS every one of the classes.</summary>
    public static IReadOnlyList<string> All { get; } = Environment.GetEnvironmentVariable(SecondsVariable) is null
        ? [.. s_uses["quick"]]
        : [.. s_classes.SelectMany(InClass).Distinct().Except(s_uses["unsafe"])];

    /// <summary>Whether a stressor needs what our kernel does not have.</summary>
    /// <param name="name">The stressor.</param>
    /// <returns>True for one that cannot work.</returns>
    public static bool IsMissing(string name) => s_uses["missing"].Contains(name);

    /// <summary>The command that runs one stressor and verifies what it does.</summary>
    /// <param name="name">The stressor.</param>
    /// <param name="seconds">How long.</param>
    /// <returns>The command; it ends with 0 when all was as it must be.</returns>
    public static IReadOnlyList<string> CommandOf(string name, int seconds) =>
        ["stress-ng", $"--{name}", "1", "--timeout", $"{seconds}s", "--verify", "--temp-path", "/tmp"];

    /// <summary>Whether a run did something and found nothing wrong.</summary>
    /// <param name="result">How it ended.</param>
    /// <returns>True for a success; false for a failure, and for a stressor that this machine cannot run.</returns>
    public static bool IsGreen(CommandResult result)
    {
        // Some failures are only told, and the exit code is 0 all the same.
        string said = result.Output + result.Error;
        return result.ExitCode == 0 && !said.Contains("stress-ng: fail:", StringComparison.Ordinal) && !said.Contains("No stress workers invoked", StringComparison.Ordinal);
    }

    // A "?" behind a class lists its stressors: "class 'pipe' stressors: fifo pipe ...".
    private static string[] InClass(string name)
    {
        CommandResult result = Command.RunAsync("stress-ng", ["--class", $"{name}?"]).GetAwaiter().GetResult();
        string[] parts = (result.Output + result.Error).Split("stressors: ");
        return parts.Length == 2 ? parts[1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
    }
}
