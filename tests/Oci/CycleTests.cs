// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class CycleTests
{
    /// <summary>As many as the project promises to survive.</summary>
    private const int Cycles = 500;

    [Fact]
    public async Task Five_hundred_containers_leave_nothing_behind()
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/true"]);
        string prefix = Sandbox.NewId();

        // One shell for all, so that the cycles and not the test's own processes are what takes the time.
        string command = string.Join(' ', runtime.CommandLine.Select(static word => $"'{word}'"));
        string script = $$"""
            i=0
            while [ $i -lt {{Cycles}} ]; do
                id={{prefix}}-$i
                {{command}} create --bundle '{{bundle.Folder}}' $id </dev/null >/dev/null || exit 1
                {{command}} start $id || exit 2
                {{command}} delete --force $id || exit 3
                i=$((i + 1))
            done
            """;
        CommandResult result = await Command.RunAsync("/bin/sh", ["-c", script], timeout: TimeSpan.FromMinutes(10));
        result.ExitCode.ShouldBe(0, result.ToString());
        Directory.GetFileSystemEntries(runtime.State).ShouldBeEmpty();
        Leftovers.ProcessesOf(prefix).ShouldBeEmpty();
        Leftovers.MountsOf(bundle.Folder, runtime.State, BusyboxRoot.Folder).ShouldBeEmpty();
        Directory.GetFileSystemEntries(bundle.Folder).Select(Path.GetFileName).ShouldBe(["config.json"]);
    }
}
