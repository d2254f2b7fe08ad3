// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Coverage;

/// <summary>The report as one page that needs nothing else.</summary>
internal static class HtmlPage
{
    private const string DataMark = "/*DATA*/";

    public static string Render(string json)
    {
        using Stream stream = typeof(HtmlPage).Assembly.GetManifestResourceStream("index.template.html")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n").Replace(DataMark, json.TrimEnd('\n'), StringComparison.Ordinal);
    }
}
