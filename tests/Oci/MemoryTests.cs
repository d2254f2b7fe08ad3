// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class MemoryTests
{
    [Fact]
    public async Task The_largest_process_is_killed_when_the_limit_is_reached_and_the_others_live_on()
    {
        CommandResult result = await RunLimitedAsync(
            "awk 'BEGIN { s = \"x\"; while (length(s) < 600000000) s = s s; print length(s) }'; echo $?; awk 'BEGIN { s = \"x\"; while (length(s) < 1000000) s = s s; print length(s) }'");
        result.Output.ShouldBe("137\n1048576\n", result.ToString());
        result.ExitCode.ShouldBe(0, result.ToString());
    }

    [Fact]
    public async Task A_system_call_that_fills_memory_beyond_the_limit_ends_with_a_kill_and_never_with_EFAULT()
    {
        CommandResult result = await RunLimitedAsync("for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=600M count=1 iflag=fullblock; echo $?; done");
        result.Output.ShouldBe("137\n137\n137\n", result.ToString());
        result.Error.ShouldNotContain("Bad address");
    }

    [Fact]
    public async Task A_system_call_that_needs_memory_gets_it_when_another_process_is_killed()
    {
        const string Hog = "echo 1000 > /proc/self/oom_score_adj; dd if=/dev/zero bs=150M count=1 iflag=fullblock | (dd of=/dev/null bs=100M count=1 iflag=fullblock; echo full > /tmp/full; sleep 100)";
        CommandResult result = await RunLimitedAsync(
            $"sh -c '{Hog}' & until [ -e /tmp/full ]; do sleep 0.05; done; for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=80M count=2 iflag=fullblock 2>&1 | grep -v copied; done");
        result.Output.ShouldBe(string.Concat(Enumerable.Repeat("2+0 records in\n2+0 records out\n", 3)), result.ToString());
    }

    /// <summary>Runs a script in a container with 256 MiB.</summary>
    private static async Task<CommandResult> RunLimitedAsync(string script)
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", script]);
        bundle.Config["linux"]!["resources"] = new JsonObject { ["memory"] = new JsonObject { ["limit"] = 256L << 20 } };
        bundle.Save();
        return await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
    }
}
