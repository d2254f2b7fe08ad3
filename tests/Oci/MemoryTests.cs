// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class MemoryTests
{
    [Fact]
    public async Task The_largest_process_is_killed_when_the_limit_is_reached_and_the_others_live_on()
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        using Bundle bundle = await OciBundle.CreateAsync(
            ["/bin/sh", "-c", "awk 'BEGIN { s = \"x\"; while (length(s) < 600000000) s = s s; print length(s) }'; echo $?; awk 'BEGIN { s = \"x\"; while (length(s) < 1000000) s = s s; print length(s) }'"]);
        bundle.Config["linux"]!["resources"] = new JsonObject { ["memory"] = new JsonObject { ["limit"] = 256L << 20 } };
        bundle.Save();
        CommandResult result = await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
        result.Output.ShouldBe("137\n1048576\n", result.ToString());
        result.ExitCode.ShouldBe(0, result.ToString());
    }
}
