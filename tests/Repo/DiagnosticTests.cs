// SPDX-License-Identifier: Apache-2.0
using System.Text.RegularExpressions;

namespace CVisor.Repo.Tests;

/// <summary>One rule is four files: analyzer, code fix (when mechanical), doc page, test.</summary>
public sealed partial class DiagnosticTests
{
    private static readonly (string Name, string Id)[] s_rules = Constants("analyzers/Rules/RuleIds.cs");

    private static readonly (string Id, string File)[] s_spec =
    [
        .. Tree.Sources.Where(static f => f.StartsWith("generators/", StringComparison.Ordinal))
            .SelectMany(static f => SpecId().Matches(File.ReadAllText(Tree.Full(f))).Select(m => (m.Groups[1].Value, f)))
            .DistinctBy(static x => x.Item1),
    ];

    [GeneratedRegex("public const string ([A-Za-z]+) = \"(CV[0-9]{4})\";")]
    private static partial Regex Constant();

    [GeneratedRegex("\"(CV0[0-9]{3})\"")]
    private static partial Regex SpecId();

    [GeneratedRegex("^(CV[0-9]{4}) ", RegexOptions.Multiline)]
    private static partial Regex Released();

    [Fact]
    public void There_are_rules()
    {
        s_rules.Length.ShouldBeGreaterThan(10);
        s_spec.Length.ShouldBeGreaterThan(5);
        s_rules.Select(static r => r.Id).ShouldBeUnique();
    }

    [Fact]
    public void Every_analyzer_has_its_file_its_test_and_its_page()
    {
        List<string> wanted = [];
        foreach ((string name, string id) in s_rules)
        {
            wanted.AddRange([$"analyzers/Rules/{name}Analyzer.cs", $"tests/Analyzers/{name}Tests.cs", $"analyzers/Docs/{id}.md"]);
        }

        wanted.Except(Tree.Files).ShouldBeEmpty();
    }

    [Fact]
    public void Every_analyzer_and_code_fix_belongs_to_a_rule()
    {
        string[] names = [.. s_rules.Select(static r => r.Name)];
        Tree.Sources.Where(static f => f.StartsWith("analyzers/Rules/", StringComparison.Ordinal) && f.EndsWith("Analyzer.cs", StringComparison.Ordinal))
            .Select(static f => Path.GetFileName(f)[..^"Analyzer.cs".Length])
            .Except(names)
            .ShouldBeEmpty();
        string[] fixes = [.. Tree.Sources.Where(static f => f.StartsWith("analyzers/CodeFixes/", StringComparison.Ordinal)).Select(static f => Path.GetFileName(f)[..^"CodeFix.cs".Length])];
        fixes.Except(names).ShouldBeEmpty();
        fixes.Where(static f => !File.ReadAllText(Tree.Full($"tests/Analyzers/{f}Tests.cs")).Contains($".Fix<{f}CodeFix>", StringComparison.Ordinal)).ShouldBeEmpty("every fix is tested");
    }

    [Fact]
    public void Every_page_belongs_to_a_rule_and_says_what_why_and_how_to_excuse()
    {
        Dictionary<string, string> pages = Tree.Files
            .Where(static f => f.StartsWith("analyzers/Docs/", StringComparison.Ordinal))
            .ToDictionary(static f => Path.GetFileNameWithoutExtension(f), static f => File.ReadAllText(Tree.Full(f)));
        pages.Keys.ShouldBe(s_rules.Select(static r => r.Id).Concat(s_spec.Select(static s => s.Id)), ignoreOrder: true);
        foreach ((string id, string page) in pages)
        {
            page.ShouldStartWith($"# {id}: ");
            foreach (string part in new[] { "**What.**", "**Why.**", "**Excuse.**" })
            {
                page.ShouldContain(part, customMessage: id);
            }
        }
    }

    [Fact]
    public void Every_rule_is_in_a_release_file()
    {
        Released().Matches(File.ReadAllText(Tree.Full("analyzers/AnalyzerReleases.Shipped.md")) + File.ReadAllText(Tree.Full("analyzers/AnalyzerReleases.Unshipped.md")))
            .Select(static m => m.Groups[1].Value)
            .ShouldBe(s_rules.Select(static r => r.Id), ignoreOrder: true);
    }

    [Fact]
    public void Every_rule_is_in_the_contributors_guide()
    {
        string guide = File.ReadAllText(Tree.Full("CONTRIBUTING.md"));
        s_rules.Select(static r => r.Id).Where(id => !guide.Contains(id, StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_error_of_the_generators_has_a_test()
    {
        string tests = string.Concat(Tree.Sources.Where(static f => f.StartsWith("tests/Generators/", StringComparison.Ordinal)).Select(static f => File.ReadAllText(Tree.Full(f))));
        Dictionary<string, string> names = Constants("generators/Schema/SpecRules.cs").ToDictionary(static c => c.Id, static c => "SpecRules." + c.Name);
        s_spec.Select(static s => s.Id)
            .Where(id => !tests.Contains(id, StringComparison.Ordinal) && !(names.TryGetValue(id, out string? name) && tests.Contains(name, StringComparison.Ordinal)))
            .ShouldBeEmpty();
    }

    private static (string Name, string Id)[] Constants(string file) =>
        [.. Constant().Matches(File.ReadAllText(Tree.Full(file))).Select(static m => (m.Groups[1].Value, m.Groups[2].Value))];
}
