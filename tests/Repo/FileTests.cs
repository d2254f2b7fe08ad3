// SPDX-License-Identifier: Apache-2.0
using System.Text.RegularExpressions;
using CVisor.Tests.Support;

namespace CVisor.Repo.Tests;

public sealed partial class FileTests
{
    private const string Licence = "SPDX-License-Identifier: Apache-2.0";

    [Fact]
    public void The_root_holds_only_what_is_expected() =>
        Tree.Files.Select(static f => f.Split('/')[0]).Distinct().Except(DependencyLaw.RootEntries).ShouldBeEmpty();

    [Fact]
    public void Sources_name_their_licence_in_the_first_line() =>
        Tree.Sources.Where(static f => File.ReadLines(Tree.Full(f)).FirstOrDefault() != "// " + Licence).ShouldBeEmpty();

    [Fact]
    public void Other_code_names_its_licence_near_the_top() =>
        Tree.Files
            .Where(static f => Path.GetExtension(f) is ".c" or ".h" or ".s" or ".S" or ".sh" or ".py" || f == "syscalls.yaml")
            .Where(static f => !File.ReadLines(Tree.Full(f)).Take(3).Any(static l => l.Contains(Licence, StringComparison.Ordinal)))
            .ShouldBeEmpty();

    [Fact]
    public void No_source_is_longer_than_600_lines() =>
        Tree.Sources.Select(static f => (File: f, Lines: File.ReadLines(Tree.Full(f)).Count())).Where(static x => x.Lines > 600).ShouldBeEmpty();

    [Fact]
    public void Lines_end_with_a_line_feed()
    {
        Tree.TextFiles.Where(static f => File.ReadAllBytes(Tree.Full(f)).Contains((byte)'\r')).ShouldBeEmpty();
        Tree.TextFiles
            .Where(static f => !f.Contains(".verified.", StringComparison.Ordinal) && File.ReadAllBytes(Tree.Full(f)) is [.., not (byte)'\n'])
            .ShouldBeEmpty("the last line must end too");
    }

    [Fact]
    public void Nothing_names_the_machine_it_was_written_on()
    {
        // A home of a person, and the folder that this working tree lies in when that is not a general one.
        List<Regex> machine = [new("/home/[a-z][a-z0-9_-]*/"), new(@"[A-Z]:\\Users\\")];
        string[] general = ["", "tmp", "root", "home", "src", "usr", "opt", "mnt", "var", "srv", "build", "repo", "app"];
        string top = RepositoryPaths.Root.Split('/', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "";
        if (!general.Contains(top))
        {
            machine.Add(new Regex("(?<![A-Za-z0-9_.$)}-])/" + Regex.Escape(top) + "/[A-Za-z]"));
        }

        Tree.TextFiles
            .Where(static f => f != "tests/Repo/FileTests.cs")
            .SelectMany(f => File.ReadLines(Tree.Full(f)).Select((l, i) => (File: f, Line: i + 1, Text: l)))
            .Where(x => machine.Exists(m => m.IsMatch(x.Text)))
            .Select(static x => $"{x.File}:{x.Line}: {x.Text.Trim()}")
            .ShouldBeEmpty();
    }

    [Fact]
    public void Addresses_are_of_hosts_that_everybody_reaches()
    {
        // A package registry, a mirror or a build machine of somebody's network has no place here.
        string[] known = ["127.0.0.1", "localhost", "deb.debian.org", "www.apache.org", "www.w3.org", "github.com", "gvisor.dev", "man7.org", "www.kernel.org", "example.com"];
        Tree.TextFiles
            .SelectMany(static f => File.ReadLines(Tree.Full(f)).SelectMany(l => Address().Matches(l).Select(m => (File: f, Host: m.Groups[1].Value))))
            .Where(x => !known.Contains(x.Host))
            .Select(static x => $"{x.File}: {x.Host}")
            .ShouldBeEmpty();
    }

    [GeneratedRegex("(?:https?|ftp|wss?)://(?:[^@/\\s]+@)?([A-Za-z0-9._-]*[A-Za-z0-9])")]
    private static partial Regex Address();
}
