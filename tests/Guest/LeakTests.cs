// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Guest.Tests;

/// <summary>Containers come and go and leave nothing: no process, mount, socket, cgroup, file or descriptor.</summary>
public sealed class LeakTests
{
    private const int QuickCycles = 25;
    private const int SoakCycles = 500;

    public static TheoryData<string> Platforms => [.. Sandbox.Platforms];

    [Theory]
    [MemberData(nameof(Platforms))]
    public Task A_few_cycles_leave_nothing(string platform) => CycleAsync(platform, QuickCycles);

    /// <summary>Takes minutes: <c>./build.sh soak</c> runs it.</summary>
    [Theory(Explicit = true)]
    [Trait("Category", "soak")]
    [MemberData(nameof(Platforms))]
    public Task Hundreds_of_cycles_leave_nothing(string platform) => CycleAsync(platform, SoakCycles);

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task A_killed_container_leaves_nothing(string platform)
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(GuestRoot.Folder, [await GuestRoot.AddAsync(GuestProgram.ByName("io/read_write"))]);
        string prefix = $"kill{Environment.ProcessId}";
        Traces before = Traces.Of(prefix);
        for (int i = 0; i < 5; i++)
        {
            string id = $"{prefix}-{i}";
            await MustAsync(sandbox, "create", "--bundle", bundle.Folder, id);
            await MustAsync(sandbox, "kill", id, "KILL");
            await MustAsync(sandbox, "delete", "--force", id);
        }

        await Traces.ExpectAsync(prefix, before);
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task A_failed_start_leaves_nothing(string platform)
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(GuestRoot.Folder, ["/no/such/program"]);
        string prefix = $"fail{Environment.ProcessId}";
        Traces before = Traces.Of(prefix);
        for (int i = 0; i < 5; i++)
        {
            CommandResult result = await sandbox.RunscAsync(["run", "--bundle", bundle.Folder, $"{prefix}-{i}"]);
            result.ExitCode.ShouldNotBe(0);
            result.Error.ShouldContain("/no/such/program");
        }

        await Traces.ExpectAsync(prefix, before);
        (await sandbox.RunscAsync(["list", "--quiet"])).Output.Trim().ShouldBeEmpty();
    }

    private static async Task CycleAsync(string platform, int cycles)
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        using Bundle bundle = Bundle.Create(GuestRoot.Folder, [await GuestRoot.AddAsync(GuestProgram.ByName("io/sync")), "advice"]);
        string prefix = $"soak{Environment.ProcessId}";
        Traces before = Traces.Of(prefix);
        for (int i = 0; i < cycles; i++)
        {
            string id = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}");
            await MustAsync(sandbox, "create", "--bundle", bundle.Folder, id);
            await MustAsync(sandbox, "start", id);
            await UntilStoppedAsync(sandbox, id);
            await MustAsync(sandbox, "delete", id);
        }

        await Traces.ExpectAsync(prefix, before);
        (await sandbox.RunscAsync(["list", "--quiet"])).Output.Trim().ShouldBeEmpty();
    }

    // Not runsc wait: it has nobody to ask once the container has ended.
    private static async Task UntilStoppedAsync(Sandbox sandbox, string id)
    {
        for (int tries = 0; tries < 600; tries++)
        {
            CommandResult state = await sandbox.RunscAsync(["state", id]);
            if (state.Output.Contains("\"stopped\"", StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(50);
        }

        Assert.Fail($"{id} does not end");
    }

    // Standard streams go to /dev/null and a file: a container that is let go must not hold the test's pipes open.
    private static async Task MustAsync(Sandbox sandbox, params string[] arguments)
    {
        string errors = Path.GetTempFileName();
        try
        {
            string[] command = ["-c", "exec \"$@\" </dev/null >/dev/null 2>\"$0\"", errors, RepositoryPaths.Runsc, .. sandbox.GlobalOptions, .. arguments];
            CommandResult result = await Command.RunAsync("/bin/sh", command, timeout: TimeSpan.FromSeconds(30));
            Assert.True(result.ExitCode == 0, $"runsc {string.Join(' ', arguments)}: {result}{await File.ReadAllTextAsync(errors)}");
        }
        finally
        {
            File.Delete(errors);
        }
    }
}
