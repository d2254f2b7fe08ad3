// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>The programs of a debootstrap root run from an OCI bundle.</summary>
public sealed class DebianBundleTests : IClassFixture<DebianRoot>
{
    private readonly DebianRoot _root;

    public DebianBundleTests(DebianRoot root) => _root = root;

    public static TheoryData<string, string> Rows => RealPrograms.RowsOfSmallRoot;

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Prints_what_it_prints_natively(string platform, string name)
    {
        Assert.SkipWhen(_root.Folder is null, _root.Reason);
        RealProgram program = RealProgram.ByName(name);
        foreach (string command in program.Needs)
        {
            Assert.SkipUnless(_root.Has(command), $"the root has no command '{command}'");
        }

        CommandResult native = await GuestRoot.RunNativelyAsync(_root.Folder!, program.Command, RealPrograms.Timeout);
        RealPrograms.CheckNative(native);
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(_root.Folder!, program.Command);
        CommandResult sandboxed = await sandbox.RunAsync(bundle, timeout: RealPrograms.Timeout);
        RealPrograms.Compare(native, sandboxed, BlockList.Load(platform).CasesOf("bundle").Contains(name));
    }
}
