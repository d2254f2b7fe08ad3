// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>What the tests of real programs share: the rows, and the comparison with what the program does natively.</summary>
internal static class RealPrograms
{
    /// <summary>How long one script may take, natively or in the sandbox.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    /// <summary>Gets a row for each platform and script.</summary>
    public static TheoryData<string, string> Rows => RowsOf(RealProgram.All);

    /// <summary>Gets the rows of <see cref="Rows"/> whose programs a small Debian root has.</summary>
    public static TheoryData<string, string> RowsOfSmallRoot => RowsOf(RealProgram.All.Where(program => !program.IsForHostRoot));

    /// <summary>A native run must have worked, or there is nothing to compare with.</summary>
    /// <param name="native">How it ended.</param>
    public static void CheckNative(CommandResult native)
    {
        Assert.False(native.HasTimedOut, native.ToString());
        native.Output.ShouldNotBeEmpty(native.ToString());
    }

    private static TheoryData<string, string> RowsOf(IEnumerable<RealProgram> programs)
    {
        TheoryData<string, string> rows = [];
        foreach (string platform in Sandbox.Platforms)
        {
            foreach (RealProgram program in programs)
            {
                rows.Add(platform, program.Name);
            }
        }

        return rows;
    }

    /// <summary>Compares the two runs, with the block list's word about it.</summary>
    /// <param name="native">The native run.</param>
    /// <param name="sandboxed">The run in the sandbox.</param>
    /// <param name="isBlocked">True when the block list says that they differ.</param>
    public static void Compare(CommandResult native, CommandResult sandboxed, bool isBlocked)
    {
        bool isSame = sandboxed.ExitCode == native.ExitCode && sandboxed.Output == native.Output;
        if (isBlocked)
        {
            Assert.False(isSame, "it is in the block list but did not fail: take it out");
        }
        else if (!isSame)
        {
            Assert.Fail($"natively: {native}\nin the sandbox: {sandboxed}");
        }
    }
}
