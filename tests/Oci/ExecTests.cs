// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class ExecTests
{
    public static IEnumerable<TheoryDataRow<string>> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Exec_passes_streams_status_and_flags(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        await runtime.StartDetachedAsync(bundle, id);
        CommandResult result = await runtime.RunAsync(["exec", "--env", "X=y z", "--cwd", "/tmp", "--user", "12:34", id, "/bin/sh", "-c", "cat; pwd; echo $X; id -u; id -g; exit 9"], "in\n");
        result.ExitCode.ShouldBe(9, result.ToString());
        result.Output.ShouldBe("in\n/tmp\ny z\n12\n34\n");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_process_file_and_a_pid_file_serve_containerd(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        await runtime.StartDetachedAsync(bundle, id);
        JsonObject process = (JsonObject)bundle.Config["process"]!.DeepClone();
        process["args"] = new JsonArray("/bin/sh", "-c", "echo from exec; sleep 100");
        File.WriteAllText(bundle.Folder + "/process.json", process.ToJsonString());
        string command = string.Join(' ', runtime.CommandLine.Select(static word => $"'{word}'"));
        string folder = bundle.Folder;
        CommandResult result = await Command.RunAsync("/bin/sh", ["-c", $"{command} exec --detach --process {folder}/process.json --pid-file {folder}/pid {id} </dev/null >{folder}/execout 2>&1"]);
        result.ExitCode.ShouldBe(0, result + File.ReadAllText(folder + "/execout"));
        await LifecycleTests.WaitForAsync(folder + "/execout", "from exec\n");
        int pid = int.Parse(File.ReadAllText(folder + "/pid"));
        Directory.Exists($"/proc/{pid}").ShouldBeTrue();

        // Whoever kills the host process of that PID ends the guest's.
        await Command.MustAsync("/bin/sh", "-c", $"kill -9 {pid}");
        for (int i = 0; i < 200 && (await runtime.MustAsync("ps", id)).Contains("sh -c", StringComparison.Ordinal); i++)
        {
            await Task.Delay(50);
        }

        (await runtime.MustAsync("ps", id)).ShouldNotContain("sh -c");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_program_that_is_not_there_is_told(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        await runtime.StartDetachedAsync(bundle, id);
        CommandResult result = await runtime.RunAsync(["exec", id, "nosuchprogram"]);
        result.ExitCode.ShouldNotBe(0);
        result.Error.ShouldContain("executable file not found");
        (await runtime.StatusAsync(id)).ShouldBe("running");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Nothing_is_executed_in_a_stopped_container(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/true"]);
        await runtime.StartDetachedAsync(bundle, id);
        await runtime.WaitForStatusAsync(id, "stopped");
        (await runtime.RunAsync(["exec", id, "/bin/true"])).ExitCode.ShouldNotBe(0);
    }
}
