// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>The block lists name only what exists.</summary>
public sealed class BlockListTests
{
    [Fact]
    public void Every_entry_names_a_case_that_exists()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(RepositoryPaths.Root, "tests", "Guest"), "blocklist.*.txt"))
        {
            string platform = Path.GetFileName(path).Split('.')[1];
            Sandbox.Platforms.ShouldContain(platform);
            foreach ((string programName, string caseName) in BlockList.Load(platform).Entries)
            {
                if (programName is "do" or "bundle")
                {
                    RealProgram.All.ShouldContain(p => p.Name == caseName, $"{path}: no real program {caseName}");
                    continue;
                }

                GuestProgram? program = GuestProgram.All.SingleOrDefault(p => p.Name == programName);
                program.ShouldNotBeNull($"{path}: no program {programName}");
                bool isCase = caseName == "*" || File.ReadAllText(program.Source).Contains($"TEST({caseName})", StringComparison.Ordinal);
                isCase.ShouldBeTrue($"{path}: {programName} has no case {caseName}");
            }
        }
    }
}
