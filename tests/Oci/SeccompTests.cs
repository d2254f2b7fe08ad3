// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>linux.seccomp with --oci-seccomp: what runc has libseccomp make of it, and our own filters.</summary>
public sealed partial class SeccompTests
{
    public static IEnumerable<TheoryDataRow<string>> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Calls_are_refused_by_name_and_the_others_are_not(string name)
    {
        CommandResult result = await RunAsync(name, Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", 28, "mkdir", "mkdirat", "no_such_call"), Rule("SCMP_ACT_ERRNO", null, "symlink", "symlinkat")),
            ["/bin/sh", "-c", "mkdir /tmp/a; ln -s b /tmp/b; touch /tmp/c && ls /tmp; grep ^Seccomp: /proc/self/status"]);
        result.Output.ShouldBe("c\nSeccomp:\t2\n", result.ToString());
        result.Error.ShouldContain("No space left on device");
        result.Error.ShouldContain("Operation not permitted");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_filter_kills_and_holds_for_processes_that_are_executed_later(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name, "--oci-seccomp");
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        bundle.Config["linux"]!["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_KILL_PROCESS", null, "chroot"), Rule("SCMP_ACT_ERRNO", 122, "mkdir", "mkdirat"));
        bundle.Save();
        await runtime.StartDetachedAsync(bundle, id);
        CommandResult refused = await runtime.RunAsync(["exec", id, "/bin/mkdir", "/tmp/a"]);
        refused.Error.ShouldContain("Disk quota exceeded", Case.Insensitive, refused.ToString());
        (await runtime.RunAsync(["exec", id, "/bin/chroot", "/tmp", "/bin/true"])).ExitCode.ShouldBe(128 + 31);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task What_is_not_allowed_gets_the_default_s_errno(string name)
    {
        string[] calls = [.. File.ReadLines(Path.Combine(RepositoryPaths.Root, "syscalls.yaml")).Select(static line => Row().Match(line).Groups[1].Value).Where(static call => call is not ("" or "mkdir" or "mkdirat"))];
        JsonObject filter = Filter("SCMP_ACT_ERRNO", Rule("SCMP_ACT_ALLOW", null, calls));
        filter["defaultErrnoRet"] = 5;
        CommandResult result = await RunAsync(name, filter, ["/bin/sh", "-c", "mkdir /tmp/a; echo $?"]);
        result.Output.ShouldBe("1\n", result.ToString());
        result.Error.ShouldContain("Input/output error", Case.Insensitive, result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Arguments_are_compared_as_whole_unsigned_numbers(string name)
    {
        const ulong Value = 0x1_0000_0005;
        const ulong Mask = 0xffff_0000_0000_000f;
        const ulong Masked = 0x0001_0000_0000_0005;
        ulong[] numbers = [0, 5, 6, 0x1_0000_0000, Value - 1, Value, Value + 1, 0x2_0000_0000, 0x2_0000_0005, 0x0001_0000_0000_0005, 0x0001_1234_0000_00f5, ulong.MaxValue];
        JsonObject filter = Filter(
            "SCMP_ACT_ALLOW",
            Rule("SCMP_ACT_ERRNO", 101, ["getpgrp"], Condition("SCMP_CMP_EQ", Value)),
            Rule("SCMP_ACT_ERRNO", 102, ["munlockall"], Condition("SCMP_CMP_NE", Value)),
            Rule("SCMP_ACT_ERRNO", 103, ["sched_get_priority_min"], Condition("SCMP_CMP_LT", Value)),
            Rule("SCMP_ACT_ERRNO", 104, ["sched_get_priority_max"], Condition("SCMP_CMP_LE", Value)),
            Rule("SCMP_ACT_ERRNO", 105, ["getsid"], Condition("SCMP_CMP_GE", Value)),
            Rule("SCMP_ACT_ERRNO", 106, ["getpgid"], Condition("SCMP_CMP_GT", Value)),
            Rule("SCMP_ACT_ERRNO", 107, ["umask"], Condition("SCMP_CMP_MASKED_EQ", Mask, Masked)));
        string folder = Directory.CreateTempSubdirectory("cvisor-filtered-").FullName;
        try
        {
            await CCompiler.CompileAsync(Path.Combine(RepositoryPaths.Root, "tests/Oci/filtered.c"), folder + "/filtered");
            CommandResult result = await RunAsync(name, filter, ["/mnt/filtered", .. numbers.Select(static number => number.ToString())], folder);
            string expected = string.Concat(numbers.Select(n => string.Concat(((bool[])[n == Value, n != Value, n < Value, n <= Value, n >= Value, n > Value, (n & Mask) == Masked]).Select(static hit => hit ? 'x' : '-')) + "\n"));
            result.Output.ShouldBe(expected, result.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Of_conditions_on_the_same_argument_one_is_enough(string name)
    {
        // chmod(path, mode): 0700 and 0711 are refused, 0755 is not.
        JsonObject one = Condition("SCMP_CMP_EQ", 0x1c0);
        JsonObject other = Condition("SCMP_CMP_EQ", 0x1c9);
        one["index"] = 1;
        other["index"] = 1;
        CommandResult result = await RunAsync(name, Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", 28, ["chmod"], one, other)),
            ["/bin/sh", "-c", "touch /tmp/a; for m in 700 711 755; do chmod $m /tmp/a; stat -c %a /tmp/a; done"]);
        result.Output.ShouldBe("644\n644\n755\n", result.ToString());
    }

    [Fact]
    public async Task Without_the_flag_a_filter_does_nothing_and_a_wrong_one_is_named()
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc");
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/mkdir", "/tmp/a"]);
        bundle.Config["linux"]!["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", 28, "mkdir", "mkdirat"));
        bundle.Save();
        (await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()])).ExitCode.ShouldBe(0);
        bundle.Config["linux"]!["seccomp"]!["syscalls"]![0]!["action"] = "SCMP_ACT_WONDER";
        bundle.Save();
        (await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()])).Error.ShouldContain("linux.seccomp.syscalls[0].action: unknown or unsupported action \"SCMP_ACT_WONDER\"");
    }

    [GeneratedRegex(@"^    (\w+): +\{x86_64: ")]
    private static partial Regex Row();

    private static JsonObject Filter(string otherwise, params JsonObject[] rules) => new() { ["defaultAction"] = otherwise, ["syscalls"] = new JsonArray([.. rules]) };

    private static JsonObject Rule(string action, int? errno, params string[] names) => Rule(action, errno, names, []);

    private static JsonObject Rule(string action, int? errno, string[] names, params JsonObject[] conditions)
    {
        JsonObject rule = new() { ["names"] = new JsonArray([.. names.Select(static one => (JsonNode)one)]), ["action"] = action, ["args"] = new JsonArray([.. conditions]) };
        if (errno is { } number)
        {
            rule["errnoRet"] = number;
        }

        return rule;
    }

    private static JsonObject Condition(string comparison, ulong value, ulong second = 0) => new() { ["index"] = 0, ["value"] = value, ["valueTwo"] = second, ["op"] = comparison };

    /// <summary>Runs a program under a filter, with a folder of the host's at /mnt when one is given.</summary>
    private static async Task<CommandResult> RunAsync(string name, JsonObject filter, string[] command, string? folder = null)
    {
        await using OciRuntime runtime = OciRuntime.Get(name, "--oci-seccomp");
        using Bundle bundle = await OciBundle.CreateAsync(command);
        bundle.Config["linux"]!["seccomp"] = filter;
        if (folder is not null)
        {
            ((JsonArray)bundle.Config["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = "/mnt", ["type"] = "bind", ["source"] = folder, ["options"] = new JsonArray("rbind", "ro") });
        }

        bundle.Save();
        return await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
    }
}
