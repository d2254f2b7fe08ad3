// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Schema;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;
using CVisor.Tests.Support;

namespace CVisor.Coverage;

/// <summary>Which calls work, how far, and which tests say so.</summary>
public sealed class CompatibilityReport
{
    private const string Folder = "docs/compatibility";

    private CompatibilityReport(IReadOnlyList<ArchitectureReport> architectures, IReadOnlyList<SpecDiagnostic> faults)
    {
        Architectures = architectures;
        Faults = faults;
    }

    /// <summary>One report an architecture.</summary>
    public IReadOnlyList<ArchitectureReport> Architectures { get; }

    /// <summary>What is wrong with the spec; the report is not to be used when there is anything.</summary>
    public IReadOnlyList<SpecDiagnostic> Faults { get; }

    /// <summary>The files of the report: path from the root, and content with LF line ends.</summary>
    public IReadOnlyDictionary<string, string> Files
    {
        get
        {
            Dictionary<string, string> files = [];
            foreach (ArchitectureReport architecture in Architectures)
            {
                files[$"{Folder}/{architecture.Name}.md"] = MarkdownPage.Render(architecture);
            }

            string json = JsonFile.Render(this);
            files[$"{Folder}/compatibility.json"] = json;
            files[$"{Folder}/index.html"] = HtmlPage.Render(json);
            return files;
        }
    }

    /// <summary>The report of this repository as it lies on disk.</summary>
    public static CompatibilityReport OfRepository()
        => Create(
            File.ReadAllText(Path.Combine(RepositoryPaths.Root, "syscalls.yaml")),
            GuestProgram.All.SelectMany(p => p.Syscalls.Select(s => (s, p.Name))));

    /// <summary>A report from a spec and pairs of a call and the test that exercises it.</summary>
    public static CompatibilityReport Create(string spec, IEnumerable<(string Call, string Test)> tests)
    {
        ParsedSpec parsed = SpecParser.Parse(spec);
        ILookup<string, string> byCall = tests.Distinct().ToLookup(t => t.Call, t => t.Test);
        return new CompatibilityReport(
            [
                ArchitectureReport.Create("x86_64", parsed.Spec, byCall, r => r.X64),
                ArchitectureReport.Create("aarch64", parsed.Spec, byCall, r => r.Arm64),
            ],
            [.. parsed.Diagnostics]);
    }
}

/// <summary>The calls of one architecture, in number order.</summary>
/// <param name="Name">The architecture.</param>
/// <param name="Calls">Its calls.</param>
public sealed record ArchitectureReport(string Name, IReadOnlyList<CallReport> Calls)
{
    /// <summary>How many calls have a support level.</summary>
    public int Count(SupportLevel level) => Calls.Count(c => c.Support == level);

    /// <summary>The counts in one line.</summary>
    public string Summary() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Calls.Count} calls: {Count(SupportLevel.Full)} full, {Count(SupportLevel.Partial)} partial, {Count(SupportLevel.None)} not implemented; "
        + $"{Calls.Count(c => c.Support != SupportLevel.None && c.Tests.Count > 0)} of the implemented ones exercised by guest programs");

    internal static ArchitectureReport Create(string name, Spec spec, ILookup<string, string> tests, Func<SyscallRow, int?> number)
        => new(name, [.. from family in spec.Families
                         from row in family.Rows
                         let n = number(row)
                         where n is not null
                         orderby n
                         select new CallReport(n.Value, row.Name, row.Family, row.Support, row.Note, row.Errno, [.. tests[row.Name].Order(StringComparer.Ordinal)])]);
}

/// <summary>One call.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Family">Its family.</param>
/// <param name="Support">How much works.</param>
/// <param name="Note">What is missing or differs.</param>
/// <param name="Errno">What it answers when it is not implemented.</param>
/// <param name="Tests">The guest programs that exercise it.</param>
public sealed record CallReport(
    int Number, string Name, string Family, SupportLevel Support, string Note, string Errno, IReadOnlyList<string> Tests)
{
    /// <summary>The support level as it is shown.</summary>
    public string Status => Support switch
    {
        SupportLevel.Full => "full",
        SupportLevel.Partial => "partial",
        _ => "none",
    };

    /// <summary>The note, and for a call without a handler what it answers.</summary>
    public string Remark
    {
        get
        {
            string answer = Support == SupportLevel.None ? $"Answers {Errno}." : "";
            return string.Join(' ', new[] { Note, answer }.Where(t => t.Length > 0));
        }
    }
}
