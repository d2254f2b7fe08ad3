// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>Runs every C guest program in the sandbox: the binary and the expectations of the native run.</summary>
public sealed class GuestProgramTests : IClassFixture<CompiledGuestPrograms>
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

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
    [MemberData(nameof(ProgramsOnPlatforms))]
    public async Task Passes_in_the_sandbox(string platform, string name)
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        string path = await GuestRoot.AddAsync(GuestProgram.ByName(name));
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(GuestRoot.Folder, [path]);
        CommandResult result = await sandbox.RunAsync(bundle, timeout: s_timeout);
        CaseReport.Check(GuestCase.Read(result), BlockList.Load(platform).CasesOf(name));
    }
}
