// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;

namespace CVisor.Benchmarks.Guest;

/// <summary>What is known of one figure before it is measured (figures.json).</summary>
/// <param name="Name">Its name, as what measures it prints it.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Better"><c>lower</c> or <c>higher</c>.</param>
/// <param name="Alert">How many times worse than native is too much for ours; for a figure without a native value, the value itself.</param>
/// <param name="What">What it measures.</param>
/// <param name="Kind"><c>micro</c>, or <c>macro</c> for one that takes long and is measured only when asked for.</param>
internal sealed record Figure(string Name, string Unit, string Better, double Alert, string What, string Kind = Figure.Micro)
{
    /// <summary>The kind that is measured when no figure is named.</summary>
    public const string Micro = "micro";

    /// <summary>The other kind.</summary>
    public const string Macro = "macro";

    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    /// <summary>Reads the list of figures.</summary>
    /// <returns>The figures in the order they are shown.</returns>
    public static IReadOnlyList<Figure> ReadAll() =>
        JsonSerializer.Deserialize<List<Figure>>(
            File.ReadAllText(Path.Combine(RepositoryPaths.Root, "tests", "Benchmarks", "Guest", "figures.json")), s_options)!;

    /// <summary>Whether it is to be measured.</summary>
    /// <param name="words">Kinds and parts of names; none asks for the micro figures.</param>
    /// <returns>True when a word is its kind or in its name.</returns>
    public bool IsWanted(IReadOnlyList<string> words) =>
        words.Count == 0 ? Kind == Micro : words.Any(word => word == Kind || Name.Contains(word, StringComparison.Ordinal));

    /// <summary>How many times worse a value is than the base: above 1 is worse, whichever way is better.</summary>
    /// <param name="value">The value.</param>
    /// <param name="baseline">The base.</param>
    /// <returns>The ratio.</returns>
    public double TimesWorse(double value, double baseline) => Better == "lower" ? value / baseline : baseline / value;

    /// <summary>Whether a value of ours is worse than it may be.</summary>
    /// <param name="value">The value.</param>
    /// <param name="native">The native one of the same run, or null.</param>
    /// <returns>True for one to look at.</returns>
    public bool IsAlarming(double value, double? native) => (native is { } baseline ? TimesWorse(value, baseline) : value) > Alert;
}
