// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>Runs every C guest program natively: what they expect is true of Linux.</summary>
public sealed class NativeProgramTests : IClassFixture<CompiledGuestPrograms>
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Programs => [.. GuestProgram.All.Select(program => program.Name)];

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
        CaseReport.Check(cases, new HashSet<string>());
    }
}
