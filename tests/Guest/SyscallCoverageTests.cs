// SPDX-License-Identifier: Apache-2.0
using System.Text.RegularExpressions;

namespace CVisor.Guest.Tests;

/// <summary>The promise that every call we say we support has a test: read from syscalls.yaml and the programs' first lines.</summary>
public sealed partial class SyscallCoverageTests
{
    [Fact]
    public void Every_supported_call_is_named_by_a_program()
    {
        IReadOnlyDictionary<string, string> support = ReadSupport();
        support.Count.ShouldBeGreaterThan(300);
        HashSet<string> named = [.. GuestProgram.All.SelectMany(program => program.Syscalls)];
        string[] missing = [.. support.Where(row => row.Value != "none" && !named.Contains(row.Key)).Select(row => row.Key).Order(StringComparer.Ordinal)];
        missing.ShouldBeEmpty("full or partial in syscalls.yaml, but no guest program's '// syscalls:' line names them");
    }

    [Fact]
    public void Every_named_call_exists()
    {
        IReadOnlyDictionary<string, string> support = ReadSupport();
        foreach (GuestProgram program in GuestProgram.All)
        {
            program.Syscalls.ShouldNotBeEmpty(program.Name);
            program.Syscalls.Where(call => !support.ContainsKey(call)).ShouldBeEmpty(program.Name);
        }
    }

    [Fact]
    public void Every_program_says_what_it_is_in_its_first_lines()
    {
        foreach (GuestProgram program in GuestProgram.All)
        {
            string text = File.ReadAllText(program.Source);
            text.ShouldStartWith("// SPDX-License-Identifier: Apache-2.0\n// syscalls: ");
            TestCase().Count(text).ShouldBeGreaterThan(0, program.Name);
        }
    }

    // The x86_64 rows and their support, by the shape every row has: "    name: {x86_64: N, ... support: word". The tests read the
    // text themselves so that a mistake in the generators' reader cannot hide a call from them.
    private static Dictionary<string, string> ReadSupport()
    {
        Dictionary<string, string> support = [];
        bool isInside = false;
        foreach (string line in File.ReadLines(Path.Combine(RepositoryPaths.Root, "syscalls.yaml")))
        {
            if (line.Length > 0 && line[0] != ' ' && line[0] != '#')
            {
                isInside = line.StartsWith("syscalls:", StringComparison.Ordinal);
            }

            Match row = Row().Match(line);
            if (isInside && row.Success)
            {
                support.Add(row.Groups["name"].Value, row.Groups["support"].Value);
            }
        }

        return support;
    }

    [GeneratedRegex(@"^    (?<name>\w+): +\{x86_64: \d+,.*\bsupport: (?<support>full|partial|none)\b")]
    private static partial Regex Row();

    [GeneratedRegex(@"^TEST\(", RegexOptions.Multiline)]
    private static partial Regex TestCase();
}
