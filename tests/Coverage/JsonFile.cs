// SPDX-License-Identifier: Apache-2.0
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CVisor.Schema.Model;

namespace CVisor.Coverage;

/// <summary>The report as JSON, one call a line.</summary>
internal static class JsonFile
{
    public static string Render(CompatibilityReport report)
    {
        StringBuilder text = new("{\n  \"architectures\": [\n");
        for (int i = 0; i < report.Architectures.Count; i++)
        {
            ArchitectureReport architecture = report.Architectures[i];
            text.Append("    {\n");
            text.Append($"      \"name\": \"{architecture.Name}\",\n");
            text.Append($"      \"full\": {architecture.Count(SupportLevel.Full)},\n");
            text.Append($"      \"partial\": {architecture.Count(SupportLevel.Partial)},\n");
            text.Append($"      \"none\": {architecture.Count(SupportLevel.None)},\n");
            text.Append("      \"calls\": [\n");
            text.AppendJoin(",\n", architecture.Calls.Select(c => "        " + Row(c)));
            text.Append("\n      ]\n    }").Append(i + 1 < report.Architectures.Count ? ",\n" : "\n");
        }

        return text.Append("  ]\n}\n").ToString();
    }

    private static string Row(CallReport call)
    {
        using MemoryStream bytes = new();
        // The default encoder keeps < and & out, so that the text can stand inside a page.
        using (Utf8JsonWriter writer = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.Default }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("number", call.Number);
            writer.WriteString("name", call.Name);
            writer.WriteString("family", call.Family);
            writer.WriteString("status", call.Status);
            writer.WriteString("remark", call.Remark);
            writer.WriteStartArray("tests");
            foreach (string test in call.Tests)
            {
                writer.WriteStringValue(test);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
