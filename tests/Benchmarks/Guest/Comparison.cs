// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Benchmarks.Guest;

/// <summary>Says in one number how ours compares with gVisor.</summary>
internal static class Comparison
{
    private const string Rival = "gVisor systrap";

    /// <summary>The geometric mean of how many times worse gVisor's systrap is than ours, for each kind of figures.</summary>
    /// <param name="figures">The figures.</param>
    /// <param name="contestants">The contestants, the native one first.</param>
    /// <param name="values">The values by contestant, then figure.</param>
    /// <returns>A line for each kind and platform of ours; none when gVisor is not there.</returns>
    /// <remarks>Figures without a native value are of what a sandbox costs, not of how quick it is, and stay out.</remarks>
    public static IEnumerable<string> Lines(
        IReadOnlyList<Figure> figures, IReadOnlyList<Contestant> contestants, IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> values)
    {
        if (!values.TryGetValue(Rival, out IReadOnlyDictionary<string, double>? theirs))
        {
            yield break;
        }

        IReadOnlyDictionary<string, double> native = values[contestants[0].Name];
        foreach (string ours in contestants.Where(contestant => contestant.IsOurs).Select(contestant => contestant.Name))
        {
            foreach (string kind in (string[])[Figure.Micro, Figure.Macro])
            {
                double[] logarithms =
                [
                    .. figures.Where(f => f.Kind == kind && native.ContainsKey(f.Name) && theirs.ContainsKey(f.Name) && values[ours].ContainsKey(f.Name))
                        .Select(f => Math.Log(f.TimesWorse(theirs[f.Name], values[ours][f.Name]))),
                ];
                if (logarithms.Length > 0)
                {
                    yield return string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Rival} / {ours}: x{Math.Exp(logarithms.Average()):G3}, the geometric mean of {logarithms.Length} {kind} figures (above 1: ours is better)");
                }
            }
        }
    }
}
