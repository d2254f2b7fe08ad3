// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class LifecycleTests
{
    public static IEnumerable<TheoryDataRow<string>> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Run_passes_output_input_and_status_through(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", "cat; echo out; echo err >&2; exit 37"]);
        CommandResult result = await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()], "in\n");
        result.ExitCode.ShouldBe(37, result.ToString());
        result.Output.ShouldBe("in\nout\n");
        result.Error.ShouldBe("err\n");
        (await runtime.MustAsync("list", "-q")).ShouldBe("");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_signalled_guest_ends_with_128_and_the_signal(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);

        // Not the first process itself: Linux shields that one from signals it does not handle.
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?"]);
        (await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()])).ExitCode.ShouldBe(137);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_container_goes_from_created_over_running_to_stopped_and_gone(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        string pidFile = bundle.Folder + "/pid";
        CommandResult created = await runtime.CreateAsync(bundle, id, "--pid-file " + pidFile);
        created.ExitCode.ShouldBe(0, created.ToString());
        using (JsonDocument state = JsonDocument.Parse(await runtime.MustAsync("state", id)))
        {
            state.RootElement.GetProperty("status").GetString().ShouldBe("created");
            state.RootElement.GetProperty("id").GetString().ShouldBe(id);
            state.RootElement.GetProperty("bundle").GetString().ShouldBe(bundle.Folder);
            state.RootElement.GetProperty("pid").GetInt32().ShouldBe(int.Parse(File.ReadAllText(pidFile)));
        }

        Directory.Exists("/proc/" + File.ReadAllText(pidFile)).ShouldBeTrue();
        (await runtime.RunAsync(["create", "--bundle", bundle.Folder, id])).Error.ShouldContain("exist");
        await runtime.MustAsync("start", id);
        (await runtime.StatusAsync(id)).ShouldBe("running");
        (await runtime.RunAsync(["start", id])).ExitCode.ShouldNotBe(0);
        (await runtime.RunAsync(["delete", id])).Error.ShouldContain("not stopped");
        await runtime.MustAsync("kill", id, "KILL");
        await runtime.WaitForStatusAsync(id, "stopped");
        (await runtime.RunAsync(["kill", id, "TERM"])).Error.ShouldContain("not running");
        await runtime.MustAsync("delete", id);
        (await runtime.RunAsync(["state", id])).Error.ShouldContain("does not exist");
    }

    [Theory]
    [InlineData("sleep 1; exit 37", false, 37)]
    [InlineData("sleep 1; sh -c 'kill -15 $$'; exit $?", false, 143)]
    [InlineData("exec sleep 100", true, 137)]
    public async Task Wait_tells_the_status_while_the_container_runs_and_after_its_end(string program, bool isKilled, int status)
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", program]);
        await runtime.StartDetachedAsync(bundle, id);
        Task<string> waiting = runtime.MustAsync("wait", id);
        if (isKilled)
        {
            await runtime.MustAsync("kill", id, "KILL");
        }

        string answer = $"{{\"id\":\"{id}\",\"exitStatus\":{status}}}\n";
        (await waiting).ShouldBe(answer);
        await runtime.WaitForStatusAsync(id, "stopped");
        (await runtime.MustAsync("wait", id)).ShouldBe(answer);
        (await runtime.MustAsync("wait", "--pid", "1", id)).ShouldBe(answer);
        (await runtime.RunAsync(["wait", "--pid", "2", id])).Error.ShouldContain("not running");
    }

    [Fact]
    public async Task A_container_whose_sandbox_was_killed_counts_as_killed()
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        CommandResult created = await runtime.CreateAsync(bundle, id);
        created.ExitCode.ShouldBe(0, created.ToString());
        await runtime.MustAsync("kill", id, "KILL");
        await runtime.WaitForStatusAsync(id, "stopped");
        (await runtime.MustAsync("wait", id)).ShouldBe($"{{\"id\":\"{id}\",\"exitStatus\":137}}\n");
    }

    [Theory]
    [InlineData("runsc", "15")]
    [InlineData("runsc", "TERM")]
    [InlineData("runsc", "SIGTERM")]
    [InlineData("runc", "SIGTERM")]
    public async Task Kill_takes_names_and_numbers(string name, string signal)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", "trap 'echo got it; exit 0' TERM; echo ready; while :; do sleep 0.1; done"]);
        await runtime.StartDetachedAsync(bundle, id);
        await WaitForAsync(bundle.Folder + "/out", "ready\n");
        await runtime.MustAsync("kill", id, signal);
        await WaitForAsync(bundle.Folder + "/out", "ready\ngot it\n");
        await runtime.WaitForStatusAsync(id, "stopped");
        await runtime.MustAsync("delete", id);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Forced_deletion_ends_what_runs_and_minds_nothing_missing(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        await runtime.StartDetachedAsync(bundle, id);
        await runtime.MustAsync("delete", "--force", id);
        await runtime.MustAsync("delete", "--force", id);
        (await runtime.MustAsync("list", "-q")).ShouldBe("");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task List_and_ps_speak_JSON(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        await runtime.StartDetachedAsync(bundle, id);
        using (JsonDocument list = JsonDocument.Parse(await runtime.MustAsync("list", "--format", "json")))
        {
            JsonElement one = list.RootElement.EnumerateArray().Single();
            one.GetProperty("id").GetString().ShouldBe(id);
            one.GetProperty("status").GetString().ShouldBe("running");
            one.GetProperty("bundle").GetString().ShouldBe(bundle.Folder);
            one.GetProperty("owner").GetString().ShouldBe("root");
        }

        (await runtime.MustAsync("list", "-q")).ShouldBe(id + "\n");
        (await runtime.MustAsync("list")).ShouldContain("STATUS");
        using JsonDocument processes = JsonDocument.Parse(await runtime.MustAsync("ps", "--format", "json", id));
        using JsonDocument state = JsonDocument.Parse(await runtime.MustAsync("state", id));
        processes.RootElement.EnumerateArray().Single().GetInt32().ShouldBe(state.RootElement.GetProperty("pid").GetInt32());
        (await runtime.MustAsync("ps", id)).ShouldContain("sleep");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Hooks_run_in_their_order_with_the_state(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/true"]);
        string log = bundle.Folder + "/hooks";
        JsonObject hook(string kind) => new()
        {
            ["path"] = "/bin/sh",
            ["args"] = new JsonArray("sh", "-c", $"(printf '{kind} '; tr -d '[:space:]'; echo) >> {log}"),
        };
        bundle.Config["hooks"] = new JsonObject
        {
            ["prestart"] = new JsonArray(hook("prestart")),
            ["createRuntime"] = new JsonArray(hook("createRuntime")),
            ["poststart"] = new JsonArray(hook("poststart")),
            ["poststop"] = new JsonArray(hook("poststop")),
        };
        bundle.Save();
        CommandResult result = await runtime.RunAsync(["run", "--bundle", bundle.Folder, id]);
        result.ExitCode.ShouldBe(0, result.ToString());
        string[] lines = File.ReadAllLines(log);
        lines.Select(static line => line.Split(' ')[0]).ShouldBe(["prestart", "createRuntime", "poststart", "poststop"]);
        lines.ShouldAllBe(line => line.Contains($"\"id\":\"{id}\"", StringComparison.Ordinal));
        lines[3].ShouldContain("\"status\":\"stopped\"");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_failing_createRuntime_hook_fails_the_container(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/true"]);
        bundle.Config["hooks"] = new JsonObject { ["createRuntime"] = new JsonArray(new JsonObject { ["path"] = "/bin/false" }) };
        bundle.Save();
        CommandResult result = await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
        result.ExitCode.ShouldNotBe(0);
        result.Error.ShouldContain("hook");
        (await runtime.MustAsync("list", "-q")).ShouldBe("");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Bind_mounts_are_writable_or_not_as_the_spec_says(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", "echo written > /mnt/a && echo no > /etc/b; cat /mnt/c"], readOnly: true);
        string data = Directory.CreateDirectory(bundle.Folder + "/data").FullName;
        File.WriteAllText(data + "/c", "host\n");
        ((JsonArray)bundle.Config["mounts"]!).Add((JsonNode)new JsonObject
        {
            ["destination"] = "/mnt",
            ["type"] = "bind",
            ["source"] = data,
            ["options"] = new JsonArray("rbind", "rw"),
        });
        bundle.Save();
        CommandResult result = await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
        result.Output.ShouldBe("host\n", result.ToString());
        result.Error.ShouldContain("Read-only file system");
        File.ReadAllText(data + "/a").ShouldBe("written\n");
    }

    internal static async Task WaitForAsync(string file, string content)
    {
        string last = "";
        for (int i = 0; i < 200; i++)
        {
            last = File.Exists(file) ? File.ReadAllText(file) : "";
            if (last == content)
            {
                return;
            }

            await Task.Delay(50);
        }

        last.ShouldBe(content);
    }
}
