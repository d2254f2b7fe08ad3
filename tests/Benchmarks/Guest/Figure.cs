// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;

namespace CVisor.Benchmarks.Guest;

/// <summary>What is known of one figure before it is measured (figures.json).</summary>
/// <param name="Name">Its name, as micro.c prints it.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Better"><c>lower</c> or <c>higher</c>.</param>
/// <param name="What">What it measures.</param>
internal sealed record Figure(string Name, string Unit, string Better, string What)
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    /// <summary>Reads the list of figures.</summary>
    /// <returns>The figures in the order they are shown.</returns>
    public static IReadOnlyList<Figure> ReadAll() =>
        JsonSerializer.Deserialize<List<Figure>>(
            File.ReadAllText(Path.Combine(RepositoryPaths.Root, "tests", "Benchmarks", "Guest", "figures.json")), s_options)!;

    /// <summary>How many times worse a value is than the base: above 1 is worse, whichever way is better.</summary>
    /// <param name="value">The value.</param>
    /// <param name="baseline">The base.</param>
    /// <returns>The ratio.</returns>
    public double TimesWorse(double value, double baseline) => Better == "lower" ? value / baseline : baseline / value;
}
