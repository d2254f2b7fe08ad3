// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>Our own words for what goes wrong, and that nothing is left behind.</summary>
public sealed class FailureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-fail-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_failure_is_one_line_on_stderr_and_one_JSON_line_appended_to_the_log()
    {
        File.WriteAllText(_folder + "/log.json", "{\"msg\":\"earlier\",\"level\":\"error\",\"time\":\"\"}\n");
        for (int i = 0; i < 2; i++)
        {
            CommandResult result = await RunscAsync("--log", _folder + "/log.json", "--log-format", "json", "state", "nobody");
            result.ExitCode.ShouldBe(128);
            result.Output.ShouldBe("");
            result.Error.ShouldBe("runsc: container \"nobody\" does not exist\n");
        }

        string[] lines = File.ReadAllLines(_folder + "/log.json");
        lines.Length.ShouldBe(3);
        using JsonDocument last = JsonDocument.Parse(lines[2]);
        last.RootElement.GetProperty("msg").GetString().ShouldBe("container \"nobody\" does not exist");
        last.RootElement.GetProperty("level").GetString().ShouldBe("error");
        DateTimeOffset.UtcNow.Subtract(last.RootElement.GetProperty("time").GetDateTimeOffset()).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task An_unknown_flag_is_told_in_the_log_too()
    {
        CommandResult result = await RunscAsync("--log=" + _folder + "/log.json", "--frob", "state", "x");
        result.ExitCode.ShouldBe(128);
        result.Error.ShouldBe("runsc: unknown flag --frob\n");
        File.ReadAllText(_folder + "/log.json").ShouldContain("unknown flag --frob");
    }

    [Fact]
    public async Task A_spec_s_error_names_the_file_and_the_field_and_leaves_nothing()
    {
        using Bundle bundle = Bundle.Create("/nonexistent-root", ["true"]);
        CommandResult result = await RunscAsync("run", "--bundle", bundle.Folder, "x");
        result.ExitCode.ShouldBe(128);
        result.Error.ShouldBe($"runsc: {bundle.Folder}/config.json: root.path: /nonexistent-root is no directory\n");
        bundle.Config["process"]!["args"] = new JsonArray();
        bundle.Save();
        (await RunscAsync("run", "--bundle", bundle.Folder, "x")).Error.ShouldBe($"runsc: {bundle.Folder}/config.json: process.args: must not be empty\n");
        (Directory.Exists(_folder + "/state") ? Directory.GetFileSystemEntries(_folder + "/state") : []).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_told_and_nothing_is_left()
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
        using Bundle bundle = await OciBundle.CreateAsync(["nosuchprogram"]);
        string id = Sandbox.NewId();
        CommandResult result = await RunscAsync("--ignore-cgroups", "--network=none", "run", "--bundle", bundle.Folder, id);
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldContain("executable file not found");
        Directory.GetFileSystemEntries(_folder + "/state").ShouldBeEmpty();
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refused_cgroup_limit_is_told_and_nothing_is_left()
    {
        Requirements.NeedRoot();
        Assert.SkipUnless(Directory.Exists("/sys/fs/cgroup/cpuset") || File.Exists("/sys/fs/cgroup/cgroup.controllers"), "needs a cgroup file system");
        using Bundle bundle = await OciBundle.CreateAsync(["true"]);
        string id = Sandbox.NewId();
        bundle.Config["linux"]!["cgroupsPath"] = "/cvisor-tests/" + id;
        bundle.Config["linux"]!["resources"] = new JsonObject { ["cpu"] = new JsonObject { ["cpus"] = "9999" } };
        bundle.Save();
        CommandResult result = await RunscAsync("--network=none", "run", "--bundle", bundle.Folder, id);
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldContain("cpus");
        Directory.GetFileSystemEntries(_folder + "/state").ShouldBeEmpty();
        Directory.GetDirectories("/sys/fs/cgroup", "cvisor-tests", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).ShouldBeEmpty();
    }

    [Fact]
    public async Task Features_spec_version_and_help_are_there()
    {
        using JsonDocument features = JsonDocument.Parse((await RunscAsync("features")).Output);
        features.RootElement.GetProperty("ociVersionMin").GetString().ShouldBe("1.0.0");
        features.RootElement.GetProperty("hooks").EnumerateArray().Select(static hook => hook.GetString()).ShouldContain("createRuntime");
        (await RunscAsync("--version")).Output.ShouldMatch("^runsc version .*\nspec: 1\\.2\\..*\n$");
        (await RunscAsync("help", "run")).Output.ShouldContain("--bundle");
        (await RunscAsync("spec", "--bundle", _folder, "--", "echo", "hello")).ExitCode.ShouldBe(0);
        using JsonDocument spec = JsonDocument.Parse(File.ReadAllText(_folder + "/config.json"));
        spec.RootElement.GetProperty("process").GetProperty("args").EnumerateArray().Select(static arg => arg.GetString()).ShouldBe(["echo", "hello"]);
        (await RunscAsync("spec", "--bundle", _folder)).Error.ShouldBe($"runsc: {_folder}/config.json exists already\n");
    }

    private Task<CommandResult> RunscAsync(params string[] arguments) =>
        Command.RunAsync(RepositoryPaths.Runsc, ["--root", _folder + "/state", .. arguments]);
}
