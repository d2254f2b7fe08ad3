// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>The host's own programs under <c>runsc do</c>: what they print natively is what they must print in the sandbox.</summary>
public sealed class RunscDoTests
{
    public static TheoryData<string, string> Rows => RealPrograms.Rows;

    [Fact]
    public void There_are_sixty_applets_and_more() =>
        RealProgram.All.Count(program => program.Name.StartsWith("busybox/", StringComparison.Ordinal)).ShouldBeGreaterThan(60);

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Prints_what_it_prints_natively(string platform, string name)
    {
        RealProgram program = RealProgram.ByName(name);
        foreach (string command in program.Needs)
        {
            Requirements.NeedCommand(command);
        }

        CommandResult native = await Command.RunAsync("env", ["--default-signal=PIPE", .. program.Command], timeout: RealPrograms.Timeout);
        RealPrograms.CheckNative(native);
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        CommandResult sandboxed = await sandbox.DoAsync(program.Command, timeout: RealPrograms.Timeout);
        RealPrograms.Compare(native, sandboxed, BlockList.Load(platform).CasesOf("do").Contains(name));
    }
}
