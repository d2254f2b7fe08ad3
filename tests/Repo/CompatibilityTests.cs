// SPDX-License-Identifier: Apache-2.0
using CVisor.Coverage;

namespace CVisor.Repo.Tests;

/// <summary>The compatibility report, and what it is made of.</summary>
public sealed class CompatibilityTests
{
    private static readonly CompatibilityReport s_report = CompatibilityReport.OfRepository();

    [Fact]
    public void The_spec_has_no_faults() => s_report.Faults.ShouldBeEmpty();

    [Fact]
    public void The_committed_report_is_fresh()
        => s_report.Files.Where(static f => !File.Exists(Tree.Full(f.Key)) || File.ReadAllText(Tree.Full(f.Key)) != f.Value)
            .Select(static f => f.Key)
            .ShouldBeEmpty("./build.sh coverage writes them");

    [Fact]
    public void A_row_says_what_the_spec_says()
    {
        const string Spec = """
            syscalls:
              f:
                a: {x86_64: 7, aarch64: 9, support: full}
                b: {x86_64: 3, support: partial, note: "no | and no <b>"}
                c: {x86_64: 5, support: none, errno: EPERM}
            """;
        CompatibilityReport report = CompatibilityReport.Create(Spec, [("b", "f/two"), ("b", "f/one"), ("b", "f/one")]);
        report.Faults.ShouldBeEmpty();
        string markdown = report.Files["docs/compatibility/x86_64.md"];
        markdown.ShouldContain("3 calls: 1 full, 1 partial, 1 not implemented; 1 of the implemented ones exercised by guest programs.");
        markdown.ShouldEndWith(
            "| 3 | b | f | partial | no \\| and no <b> | f/one, f/two |\n| 5 | c | f | none | Answers EPERM. |  |\n| 7 | a | f | full |  |  |\n");
        report.Files["docs/compatibility/aarch64.md"].ShouldEndWith("| 9 | a | f | full |  |  |\n");
        report.Files["docs/compatibility/compatibility.json"].ShouldContain(
            "{\"number\":3,\"name\":\"b\",\"family\":\"f\",\"status\":\"partial\",\"remark\":\"no | and no \\u003Cb\\u003E\",\"tests\":[\"f/one\",\"f/two\"]}");
    }

    [Fact]
    public void The_page_needs_nothing_else()
    {
        string page = s_report.Files["docs/compatibility/index.html"];
        page.ShouldNotContain("http://");
        page.ShouldNotContain("https://");
        page.ShouldNotContain("src=");
        page.ShouldNotContain("href=");
        page.ShouldContain("\"name\":\"openat\"");
    }
}
