// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Security;
using System.Text;

namespace CVisor.Benchmarks.Guest;

/// <summary>Draws the ratios to native as bars on a logarithmic axis, as an SVG.</summary>
internal static class Plot
{
    private const int LabelWidth = 190;
    private const int BarWidth = 620;
    private const int BarHeight = 11;
    private const int GroupGap = 9;
    private const int Top = 60;
    private const double Decades = 4; // the axis goes from 0.1 to 1000 times native

    private static readonly string[] s_colors = ["#4e79a7", "#f28e2b", "#76b7b2", "#e15759", "#59a14f", "#b07aa1"];

    /// <summary>Draws one group of bars a figure, one bar a contestant other than the native one.</summary>
    /// <param name="figures">The figures.</param>
    /// <param name="contestants">The contestants' names, the native one first.</param>
    /// <param name="values">The values by contestant, then figure.</param>
    /// <returns>The picture.</returns>
    public static string Draw(IReadOnlyList<Figure> figures, IReadOnlyList<string> contestants, IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> values)
    {
        IReadOnlyDictionary<string, double> native = values[contestants[0]];
        string[] others = [.. contestants.Skip(1)];
        Figure[] shown = [.. figures.Where(f => native.ContainsKey(f.Name) && others.Any(o => values[o].ContainsKey(f.Name)))];
        int groupHeight = (others.Length * BarHeight) + GroupGap;
        int height = Top + (shown.Length * groupHeight) + 20;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{LabelWidth + BarWidth + 90}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"8\" y=\"18\" font-size=\"14\">Times worse than native (1 is native; shorter is better)</text>\n");
        for (int i = 0; i < others.Length; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{8 + (i * 130)}\" y=\"28\" width=\"10\" height=\"10\" fill=\"{s_colors[i % s_colors.Length]}\"/><text x=\"{22 + (i * 130)}\" y=\"37\">{SecurityElement.Escape(others[i])}</text>\n");
        }

        for (int decade = -1; decade <= 3; decade++)
        {
            double x = X(Math.Pow(10, decade));
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x:F1}\" y1=\"{Top - 8}\" x2=\"{x:F1}\" y2=\"{height - 12}\" stroke=\"{(decade == 0 ? "#333" : "#ddd")}\"/><text x=\"{x:F1}\" y=\"{Top - 11}\" text-anchor=\"middle\">{Math.Pow(10, decade):G4}</text>\n");
        }

        for (int f = 0; f < shown.Length; f++)
        {
            double y = Top + (f * groupHeight);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + (groupHeight / 2.0):F1}\" text-anchor=\"end\">{SecurityElement.Escape(shown[f].Name)}</text>\n");
            for (int i = 0; i < others.Length; i++)
            {
                if (values[others[i]].TryGetValue(shown[f].Name, out double value))
                {
                    double ratio = shown[f].TimesWorse(value, native[shown[f].Name]);
                    svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y + (i * BarHeight):F1}\" width=\"{X(ratio) - LabelWidth:F1}\" height=\"{BarHeight - 1}\" fill=\"{s_colors[i % s_colors.Length]}\"/><text x=\"{X(ratio) + 3:F1}\" y=\"{y + (i * BarHeight) + 9:F1}\" font-size=\"9\">{ratio:G3}</text>\n");
                }
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static double X(double ratio) => LabelWidth + (Math.Clamp((Math.Log10(ratio) + 1) / Decades, 0.002, 1) * BarWidth);
}
