// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>Fields of config.json and what the container sees of them.</summary>
public sealed class SpecFieldTests
{
    public static IEnumerable<TheoryDataRow<string>> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task The_host_name_is_the_spec_s(string name)
    {
        CommandResult result = await RunAsync(name, "hostname; cat /proc/sys/kernel/hostname; uname -n", static config => config["hostname"] = "some-name");
        result.Output.ShouldBe("some-name\nsome-name\nsome-name\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_spec_without_a_host_name_keeps_the_host_s(string name)
    {
        CommandResult result = await RunAsync(name, "hostname", static config => config.Remove("hostname"));
        result.Output.ShouldBe(File.ReadAllText("/proc/sys/kernel/hostname"), result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Users_groups_umask_and_working_directory_are_the_spec_s(string name)
    {
        CommandResult result = await RunAsync(name, "id -u; id -g; id -G; umask; pwd", static config =>
        {
            config["process"]!["user"] = new JsonObject { ["uid"] = 12, ["gid"] = 34, ["umask"] = 63, ["additionalGids"] = new JsonArray(56, 78) };
            config["process"]!["cwd"] = "/tmp";
        });
        result.Output.ShouldBe("12\n34\n34 56 78\n0077\n/tmp\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Resource_limits_are_the_spec_s(string name)
    {
        CommandResult result = await RunAsync(name, "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj", static config =>
        {
            config["process"]!["rlimits"] = new JsonArray(
                new JsonObject { ["type"] = "RLIMIT_NOFILE", ["soft"] = 77, ["hard"] = 88 },
                new JsonObject { ["type"] = "RLIMIT_CORE", ["soft"] = 0, ["hard"] = 0 });
            config["process"]!["oomScoreAdj"] = 555;
        });
        result.Output.ShouldBe("77\n88\n0\n555\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Capabilities_and_no_new_privileges_are_the_spec_s(string name)
    {
        CommandResult result = await RunAsync(name, "grep -E '^(Cap|NoNewPrivs)' /proc/self/status", static config =>
        {
            config["process"]!["noNewPrivileges"] = true;
            config["process"]!["capabilities"] = new JsonObject
            {
                ["bounding"] = new JsonArray("CAP_CHOWN", "CAP_KILL"),
                ["effective"] = new JsonArray("CAP_KILL"),
                ["permitted"] = new JsonArray("CAP_CHOWN", "CAP_KILL"),
            };
        });

        // A program that root executes gets all that the bounding set leaves (capabilities(7)).
        result.Output.ShouldBe("CapInh:\t0000000000000000\nCapPrm:\t0000000000000021\nCapEff:\t0000000000000021\nCapBnd:\t0000000000000021\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Masked_paths_are_empty_and_read_only_ones_refuse_writing(string name)
    {
        CommandResult result = await RunAsync(
            name,
            "cat /etc/passwd | wc -c; ls /usr 2>/dev/null | wc -l; ls /mnt | wc -l; touch /tmp/a && echo a; touch /var/b || echo refused; touch /mnt/c || echo refused",
            static config =>
            {
                ((JsonArray)config["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = "/var", ["type"] = "tmpfs", ["source"] = "tmpfs" });
                ((JsonArray)config["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = "/mnt", ["type"] = "tmpfs", ["source"] = "tmpfs" });
                config["linux"]!["maskedPaths"] = new JsonArray("/etc/passwd", "/mnt", "/not/there");
                config["linux"]!["readonlyPaths"] = new JsonArray("/var", "/not/there");
            });
        result.Output.ShouldBe("0\n0\n0\na\nrefused\nrefused\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Options_of_mounts_take_effect(string name)
    {
        CommandResult result = await RunAsync(
            name,
            """
            grep ' /mnt ' /proc/mounts | tr , '\n' | tr ' ' '\n' | grep -E '^(ro|rw|nosuid|nodev|noexec|size=.*|mode=.*)$' | sort
            cp /bin/busybox /mnt/echo; /mnt/echo no; echo $?
            dd if=/dev/zero of=/mnt/big bs=64k count=100 2>&1 | grep -o 'No space.*'
            """,
            static config => ((JsonArray)config["mounts"]!).Add((JsonNode)new JsonObject
            {
                ["destination"] = "/mnt",
                ["type"] = "tmpfs",
                ["source"] = "tmpfs",
                ["options"] = new JsonArray("noexec", "nosuid", "nodev", "size=4m", "mode=751"),
            }));
        result.Output.ShouldBe("mode=751\nnodev\nnoexec\nnosuid\nrw\nsize=4096k\n126\nNo space left on device\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_file_is_mounted_over_a_file_that_need_not_be_there(string name)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "1.2.3.4 somewhere\n");
            CommandResult result = await RunAsync(name, "cat /tmp/deep/hosts; echo more >> /tmp/deep/hosts; tail -1 /tmp/deep/hosts", config => ((JsonArray)config["mounts"]!).Add((JsonNode)new JsonObject
            {
                ["destination"] = "/tmp/deep/hosts",
                ["type"] = "bind",
                ["source"] = file,
                ["options"] = new JsonArray("rbind", "rprivate"),
            }));
            result.Output.ShouldBe("1.2.3.4 somewhere\nmore\n", result.ToString());
            File.ReadAllText(file).ShouldBe("1.2.3.4 somewhere\nmore\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Host_names_can_be_set_as_sysctls(string name)
    {
        CommandResult result = await RunAsync(name, "cat /proc/sys/kernel/domainname", static config => config["linux"]!["sysctl"] = new JsonObject { ["kernel.domainname"] = "some.domain" });
        result.Output.ShouldBe("some.domain\n", result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Devices_are_made_with_their_numbers_modes_and_owners(string name)
    {
        CommandResult result = await RunAsync(
            name,
            """
            stat -c '%F %t %T %a %u %g' /dev/deep/nothing /dev/null /dev/unknown /dev/disk /dev/fifo /opt/tty
            echo gone > /dev/deep/nothing && wc -c < /dev/deep/nothing
            head -c 3 /dev/zero | od -An -tx1 | tr -d ' '
            """,
            static config =>
            {
                config["linux"]!["devices"] = new JsonArray(
                    Device("/dev/deep/nothing", "c", 1, 3, null),
                    Device("/dev/null", "c", 1, 3, 0x2000 | 0x1b4),
                    Device("/dev/unknown", "u", 60, 300, 0x180, 12, 34),
                    Device("/dev/disk", "b", 7, 1, 0x1b0, 0, 6),
                    Device("/dev/fifo", "p", null, null, 0x1a4),
                    Device("/opt/tty", "c", 5, 0, 0x192, 1, 0));
                config["linux"]!["resources"] = new JsonObject { ["devices"] = new JsonArray(new JsonObject { ["allow"] = true, ["access"] = "rwm" }) };
            });
        result.Output.ShouldBe(
            """
            character special file 1 3 666 0 0
            character special file 1 3 664 0 0
            character special file 3c 12c 600 12 34
            block special file 7 1 660 0 6
            fifo 0 0 644 0 0
            character special file 5 0 622 1 0
            0
            000000

            """,
            result.ToString());
    }

    [Fact]
    public async Task Opening_a_device_without_a_driver_is_refused_and_a_file_in_the_way_of_one_is_told()
    {
        CommandResult result = await RunAsync("runsc", "cat /dev/unknown", static config => config["linux"]!["devices"] = new JsonArray(Device("/dev/unknown", "c", 60, 1, null)));
        result.Error.ShouldContain("No such device or address", Case.Sensitive, result.ToString());
        result = await RunAsync("runsc", "true", static config => config["linux"]!["devices"] = new JsonArray(Device("/dev/null", "c", 1, 5, null)));
        result.ExitCode.ShouldBe(128);
        result.Error.ShouldContain("linux.devices: /dev/null: something else is there already");
    }

    [Fact]
    public async Task A_sysctl_that_is_not_there_does_not_keep_a_container_from_starting()
    {
        // Docker sets some in every container.
        CommandResult result = await RunAsync("runsc", "echo started", static config => config["linux"]!["sysctl"] = new JsonObject { ["net.ipv4.ip_unprivileged_port_start"] = "0" });
        result.Output.ShouldBe("started\n", result.ToString());
    }

    [Fact]
    public async Task A_quota_is_shown_as_a_number_of_processors_and_a_limit_as_memory()
    {
        CommandResult result = await RunAsync("runsc", "nproc; grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo", static config => config["linux"]!["resources"] = new JsonObject
        {
            ["cpu"] = new JsonObject { ["quota"] = 50000, ["period"] = 100000 },
            ["memory"] = new JsonObject { ["limit"] = 256 << 20 },
        });
        result.Output.ShouldBe("1\n1\nMemTotal:         262144 kB\n", result.ToString());
    }

    private static JsonObject Device(string path, string type, int? major, int? minor, int? mode, int? uid = null, int? gid = null)
    {
        JsonObject device = new() { ["path"] = path, ["type"] = type };
        foreach ((string key, int? value) in ((string, int?)[])[("major", major), ("minor", minor), ("fileMode", mode), ("uid", uid), ("gid", gid)])
        {
            if (value is { } number)
            {
                device[key] = number;
            }
        }

        return device;
    }

    private static async Task<CommandResult> RunAsync(string name, string script, Action<JsonObject> change)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", script]);
        change(bundle.Config);
        bundle.Save();
        return await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
    }
}
