// SPDX-License-Identifier: Apache-2.0
using System.Xml.Linq;

namespace CVisor.Repo.Tests;

public sealed class ProjectTests
{
    [Fact]
    public void Every_reference_is_in_the_dependency_law()
    {
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.All.Where(static p => !p.Folder.StartsWith("tests/", StringComparison.Ordinal)))
        {
            if (!DependencyLaw.Allowed.TryGetValue(project.Folder, out string[]? allowed))
            {
                faults.Add($"{project}: the law (DependencyLaw.cs) has no entry for {project.Folder}");
                continue;
            }

            faults.AddRange(project.References
                .Where(r => r != "analyzers/Annotations" && !allowed.Contains(r))
                .Select(r => $"{project}: may not reference {r}"));
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public void The_law_has_no_way_around_it()
    {
        // What a project reaches through others it could as well reference itself: the kernel core must not get at a
        // platform, a file system or the gofer's server by a detour.
        Reach("kernel/Core").ShouldBe(["kernel/Abi", "kernel/Host", "platforms/Abstractions"], ignoreOrder: true);
        Reach("gofer/Host").Where(static r => r.StartsWith("kernel/", StringComparison.Ordinal)).ShouldBe(["kernel/Host", "kernel/Abi"], ignoreOrder: true);
        Reach("runsc/Commands").Where(static r => r.StartsWith("platforms/", StringComparison.Ordinal) || r is "kernel/Core" or "kernel/Syscalls").ShouldBeEmpty();
        foreach (string platform in new[] { "platforms/Ptrace", "platforms/Systrap", "platforms/Kvm" })
        {
            Reach(platform).ShouldBe(["platforms/Common", "platforms/Abstractions", "kernel/Host", "kernel/Abi"], ignoreOrder: true);
        }
    }

    [Fact]
    public void Nothing_references_a_test_project() =>
        ProjectFile.All
            .Where(static p => !p.Folder.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(static p => p.References.Where(static r => r.StartsWith("tests/", StringComparison.Ordinal)).Select(r => $"{p} -> {r}"))
            .ShouldBeEmpty();

    [Fact]
    public void Unsafe_code_is_allowed_only_in_its_place() =>
        ProjectFile.All
            .Where(static p => p.Property("AllowUnsafeBlocks").Any(static v => !v.Equals("false", StringComparison.OrdinalIgnoreCase)))
            .Select(static p => p.Folder)
            .Except(DependencyLaw.Unsafe)
            .ShouldBeEmpty();

    [Fact]
    public void Packages_are_used_only_as_far_as_they_are_trusted()
    {
        Dictionary<string, string> groups = Groups();
        List<string> faults = [];
        foreach (ProjectFile project in ProjectFile.All)
        {
            string[] allowed = DependencyLaw.TrustGroups.Single(g => (project.Folder + "/").StartsWith(g.Key, StringComparison.Ordinal)).Value;
            foreach (XElement package in project.Packages)
            {
                string name = package.Attribute("Include")!.Value;
                if (package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null)
                {
                    faults.Add($"{project}: {name} has its version here; it belongs in Directory.Packages.props");
                }

                if (!groups.TryGetValue(name, out string? group))
                {
                    faults.Add($"{project}: {name} is in no group of Directory.Packages.props");
                }
                else if (!allowed.Contains(group))
                {
                    faults.Add($"{project}: {name} is of group {group}, which may not be used here");
                }
            }
        }

        faults.ShouldBeEmpty();
    }

    [Fact]
    public void Target_frameworks_are_those_of_their_place() =>
        ProjectFile.All
            .SelectMany(static p => p.Property("TargetFramework").Concat(p.Property("TargetFrameworks")).Select(f => (Project: p, Framework: f)))
            .Where(static x => x.Framework != (x.Project.Folder is "generators" or "analyzers/Rules" or "analyzers/CodeFixes" ? "netstandard2.0" : "net10.0"))
            .Select(static x => $"{x.Project}: {x.Framework}")
            .ShouldBeEmpty();

    [Fact]
    public void Internals_are_visible_to_tests_only() =>
        ProjectFile.All
            .SelectMany(static p => p.Items("InternalsVisibleTo").Select(i => (Project: p.FilePath, To: i.Attribute("Include")!.Value)))
            .Where(static x => !x.To.EndsWith(".Tests", StringComparison.Ordinal) && x.To != "CVisor.Analyzers.CodeFixes")
            .Select(static x => $"{x.Project}: {x.To}")
            .ShouldBeEmpty();

    [Fact]
    public void The_solution_holds_every_project()
    {
        string[] listed =
        [
            .. File.ReadLines(Tree.Full("Build.sln"))
                .Where(static l => l.StartsWith("Project(", StringComparison.Ordinal) && l.Contains(".csproj", StringComparison.Ordinal))
                .Select(static l => l.Split('"')[5].Replace('\\', '/')),
        ];
        listed.ShouldBe(ProjectFile.All.Select(static p => p.FilePath), ignoreOrder: true);
    }

    private static HashSet<string> Reach(string folder)
    {
        HashSet<string> reached = [];
        Stack<string> left = new([folder]);
        while (left.TryPop(out string? at))
        {
            foreach (string next in DependencyLaw.Allowed[at])
            {
                if (reached.Add(next))
                {
                    left.Push(next);
                }
            }
        }

        return reached;
    }

    private static Dictionary<string, string> Groups() => XDocument.Load(Tree.Full("Directory.Packages.props"))
        .Descendants("ItemGroup")
        .SelectMany(static g => g.Elements("PackageVersion").Select(p => (Name: p.Attribute("Include")!.Value, Group: g.Attribute("Label")?.Value ?? "")))
        .ToDictionary(static x => x.Name, static x => x.Group);
}
