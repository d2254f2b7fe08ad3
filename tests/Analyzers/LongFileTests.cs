// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class LongFileTests
{
    private static string Lines(int count) => string.Concat(Enumerable.Range(1, count).Select(static n => $"// line {n}\n"));

    [Fact]
    public async Task Reports_the_first_line_too_many()
    {
        IReadOnlyList<string> messages = await new Snippet<LongFileAnalyzer>(Lines(600) + "[|// line 601|]\n// line 602\n").Check();
        messages.ShouldBe(["The file has 602 lines, more than 600: split it by concept"]);
    }

    [Fact]
    public async Task Accepts_six_hundred_lines() => await new Snippet<LongFileAnalyzer>(Lines(600)).Check();
}
