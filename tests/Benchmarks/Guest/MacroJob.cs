// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>A script of jobs/ that does real work and prints the figures it measures of it.</summary>
/// <param name="Figures">The figures' names.</param>
/// <param name="Needs">The commands it needs.</param>
/// <param name="Script">The shell script. $INPUT names the prepared input, and <c>elapsed</c> is the measuring program.</param>
internal sealed record MacroJob(IReadOnlyList<string> Figures, IReadOnlyList<string> Needs, string Script)
{
    // Each run works in a folder of its own: natively and in runc what it writes stays, and must not help the next one.
    private const string InFreshFolder =
        "set -e\nfresh_folder=$(mktemp -d \"$WORK/XXXXXX\")\nreadonly fresh_folder\ncd \"$fresh_folder\"\n" +
        "trap 'cd /; rm -rf \"${fresh_folder:?}\"' EXIT\nelapsed() { \"$ELAPSED\" \"$@\"; }\n";

    /// <summary>Reads the jobs.</summary>
    /// <returns>The jobs, by name.</returns>
    public static IEnumerable<MacroJob> ReadAll()
    {
        string folder = Path.Combine(RepositoryPaths.Root, "tests", "Benchmarks", "Guest", "jobs");
        foreach (string path in Directory.EnumerateFiles(folder, "*.sh").Order(StringComparer.Ordinal))
        {
            string text = File.ReadAllText(path);
            yield return new MacroJob(Words(text, "figures"), Words(text, "needs"), InFreshFolder + text);
        }
    }

    private static string[] Words(string text, string key)
    {
        string start = $"# {key}: ";
        return text.Split('\n').First(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..].Split(' ');
    }
}
