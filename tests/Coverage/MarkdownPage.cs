// SPDX-License-Identifier: Apache-2.0
using System.Text;

namespace CVisor.Coverage;

/// <summary>The report of an architecture as Markdown.</summary>
internal static class MarkdownPage
{
    public static string Render(ArchitectureReport architecture)
    {
        StringBuilder page = new();
        page.Append($"# System calls on {architecture.Name}\n\n");
        page.Append("Generated from syscalls.yaml and tests/Guest by `./build.sh coverage`. Do not edit.\n\n");
        page.Append(architecture.Summary()).Append(".\n");
        if (architecture.Name != "x86_64")
        {
            page.Append("\nThe kernel's code is the same on every architecture; no platform runs guests on this one yet.\n");
        }

        page.Append("\n| number | call | family | status | remarks | guest programs |\n| ---: | --- | --- | --- | --- | --- |\n");
        foreach (CallReport call in architecture.Calls)
        {
            page.Append($"| {call.Number} | {call.Name} | {call.Family} | {call.Status} | {Escape(call.Remark)} | {string.Join(", ", call.Tests)} |\n");
        }

        return page.ToString();
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
