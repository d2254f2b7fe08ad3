// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;

namespace CVisor.Guest.Tests;

/// <summary>stress-ng's stressors verify what they do: what they find in order natively they must find in order in the sandbox.</summary>
public sealed class StressTests
{
    // What a stressor may take longer than it was told: some finish a round that they have begun.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(60);

    // Once a stressor, not once a platform.
    private static readonly ConcurrentDictionary<string, Task<CommandResult>> s_native = new();

    public static TheoryData<string, string> Rows
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string platform in Sandbox.Platforms)
            {
                foreach (string stressor in Stressors.All)
                {
                    rows.Add(platform, stressor);
                }
            }

            return rows;
        }
    }

    /// <summary>A few stressors, a second each; CVISOR_STRESS_SECONDS=60 runs every one of the classes for a minute, which takes hours.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Verifies_what_it_verifies_natively(string platform, string stressor)
    {
        Requirements.NeedCommand("stress-ng");
        CommandResult native = await s_native.GetOrAdd(stressor, static name => Command.RunAsync("env", Stressors.CommandOf(name, 1), timeout: s_grace));
        Assert.SkipUnless(Stressors.IsGreen(native), $"natively: {native}");
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        TimeSpan timeout = TimeSpan.FromSeconds(Stressors.Seconds) + s_grace;
        CommandResult sandboxed = await sandbox.DoAsync(Stressors.CommandOf(stressor, Stressors.Seconds), timeout: timeout);
        bool isMissing = Stressors.IsMissing(stressor);
        Assert.True(Stressors.IsGreen(sandboxed) != isMissing, isMissing ? "it is listed as missing but worked: take it out" : sandboxed.ToString());
    }
}
