// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>Runs every C guest program natively and in the sandbox: the same binary, the same expectations.</summary>
public sealed class GuestProgramTests : IClassFixture<CompiledGuestPrograms>
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Programs => [.. GuestProgram.All.Select(program => program.Name)];

    public static TheoryData<string, string> ProgramsOnPlatforms
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string platform in Sandbox.Platforms)
            {
                foreach (GuestProgram program in GuestProgram.All)
                {
                    rows.Add(platform, program.Name);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Passes_natively(string name)
    {
        GuestProgram program = GuestProgram.ByName(name);
        if (program.Needs.Contains("root"))
        {
            Requirements.NeedRoot();
        }

        string path = await GuestRoot.AddAsync(program);
        IReadOnlyList<GuestCase> cases = GuestCase.Read(await GuestRoot.RunNativelyAsync([path], s_timeout));
        Report(cases, new HashSet<string>());
    }

    [Theory]
    [MemberData(nameof(ProgramsOnPlatforms))]
    public async Task Passes_in_the_sandbox(string platform, string name)
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        string path = await GuestRoot.AddAsync(GuestProgram.ByName(name));
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(GuestRoot.Folder, [path]);
        CommandResult result = await sandbox.RunAsync(bundle, timeout: s_timeout);
        Report(GuestCase.Read(result), BlockList.Load(platform).CasesOf(name));
    }

    private static void Report(IReadOnlyList<GuestCase> cases, IReadOnlySet<string> expectedFailures)
    {
        List<string> problems = [];
        foreach (GuestCase failed in cases.Where(c => c.Outcome == GuestOutcome.Failed && !expectedFailures.Contains(c.Name)))
        {
            problems.Add($"not ok {failed.Name}: {failed.Message}");
        }

        foreach (string name in expectedFailures.Where(name => cases.Any(c => c.Name == name && c.Outcome != GuestOutcome.Failed)
            || (name == "*" && cases.All(c => c.Name != "*"))))
        {
            problems.Add($"{name} is in the block list but did not fail: take it out");
        }

        if (!expectedFailures.Contains("*"))
        {
            foreach (string name in expectedFailures.Where(name => cases.All(c => c.Name != name)))
            {
                problems.Add($"{name} is in the block list but never ran");
            }
        }

        foreach (GuestCase skipped in cases.Where(c => c.Outcome == GuestOutcome.Skipped))
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"skipped {skipped.Name}: {skipped.Message}");
        }

        if (problems.Count > 0)
        {
            Assert.Fail(string.Join('\n', problems));
        }
    }
}
