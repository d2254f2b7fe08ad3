// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>Our runtime under Debian's Docker, images imported from a root tree, without a network.</summary>
public sealed class DockerTests(DockerDaemon docker) : IClassFixture<DockerDaemon>
{
    [Fact]
    public async Task Run_gives_output_and_status()
    {
        await docker.NeedAsync();
        CommandResult result = await docker.RunAsync(["run", "--rm", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "echo hello; echo oops >&2; exit 7"]);
        result.ExitCode.ShouldBe(7, result.ToString());
        result.Output.ShouldBe("hello\n");
        result.Error.ShouldBe("oops\n");
    }

    [Fact]
    public async Task Run_i_pipes_input_through()
    {
        await docker.NeedAsync();
        string text = string.Concat(Enumerable.Range(0, 5000).Select(static i => $"line {i}\n"));
        CommandResult result = await docker.RunAsync(["run", "--rm", "-i", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/cat"], text);
        result.ExitCode.ShouldBe(0, result.Error);
        result.Output.ShouldBe(text);
    }

    [Fact]
    public async Task A_missing_program_gives_127()
    {
        await docker.NeedAsync();
        CommandResult result = await docker.RunAsync(["run", "--rm", .. DockerDaemon.Runtime, DockerDaemon.Image, "nosuchprogram"]);
        result.ExitCode.ShouldBe(127, result.ToString());
        result.Error.ShouldContain("executable file not found");
    }

    [Fact]
    public async Task Detached_containers_exec_log_stop_and_go()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["run", "-d", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "trap 'echo bye; exit 6' TERM; echo started; while :; do sleep 0.1; done"])).Trim();
        for (int i = 0; i < 100 && await docker.MustAsync("logs", id) != "started\n"; i++)
        {
            await Task.Delay(100);
        }

        CommandResult exec = await docker.RunAsync(["exec", "-i", "-e", "V=w", id, "/bin/sh", "-c", "cat; echo $V; hostname; exit 5"], "in\n");
        exec.ExitCode.ShouldBe(5, exec.ToString());
        exec.Output.ShouldBe($"in\nw\n{id[..12]}\n");
        await docker.MustAsync("stop", "--time", "20", id);
        (await docker.MustAsync("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", id)).ShouldBe("exited 6\n");
        (await docker.MustAsync("logs", id)).ShouldBe("started\nbye\n");
        await docker.MustAsync("rm", id);
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task Kill_ends_a_container_with_its_signal()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["run", "-d", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sleep", "100"])).Trim();
        await docker.MustAsync("kill", id);
        (await docker.MustAsync("wait", id)).ShouldBe("137\n");
        await docker.MustAsync("rm", id);
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_forced_removal_ends_what_runs()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["run", "-d", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sleep", "100"])).Trim();
        await docker.MustAsync("rm", "-f", id);
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task Limits_users_and_volumes_are_those_of_the_command_line()
    {
        await docker.NeedAsync();
        string folder = Directory.CreateTempSubdirectory("cvisor-docker-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0x1FF);
        try
        {
            CommandResult result = await docker.RunAsync(["run", "--rm", "--memory", "256m", "--pids-limit", "200", "--user", "12:34", "-w", "/tmp", "-v", folder + ":/mnt",
                .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "id -u; id -g; pwd; echo x > /mnt/f"]);
            result.Output.ShouldBe("12\n34\n/tmp\n", result.ToString());
            File.ReadAllText(folder + "/f").ShouldBe("x\n");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Names_hosts_and_resolver_are_files_of_docker_s()
    {
        await docker.NeedAsync();
        CommandResult result = await docker.RunAsync(["run", "--rm", "--hostname", "some-host", "--add-host", "other:1.2.3.4", "--dns", "5.6.7.8", .. DockerDaemon.Runtime, DockerDaemon.Image,
            "/bin/sh", "-c", "hostname; cat /etc/hostname; grep other /etc/hosts; grep 5.6.7.8 /etc/resolv.conf; echo 9.9.9.9 more >> /etc/hosts && tail -1 /etc/hosts"]);
        result.Output.ShouldBe("some-host\nsome-host\n1.2.3.4\tother\nnameserver 5.6.7.8\n9.9.9.9 more\n", result.ToString());
    }

    [Fact]
    public async Task A_read_only_root_has_its_writable_places()
    {
        await docker.NeedAsync();
        CommandResult result = await docker.RunAsync(["run", "--rm", "--read-only", "--tmpfs", "/tmp:size=1m", "--ulimit", "nofile=99:100", .. DockerDaemon.Runtime, DockerDaemon.Image,
            "/bin/sh", "-c", "touch /x; echo $?; echo y > /tmp/y && cat /tmp/y; ulimit -Sn; ulimit -Hn; df -k /tmp | tail -1 | tr -s ' ' | cut -d' ' -f2"]);
        result.Output.ShouldBe("1\ny\n99\n100\n1024\n", result.ToString());
        result.Error.ShouldContain("Read-only file system");
    }

    [Fact]
    public async Task A_container_is_made_started_stopped_and_started_again()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["create", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "echo run; exit 3"])).Trim();
        (await docker.MustAsync("inspect", "--format", "{{.State.Status}}", id)).ShouldBe("created\n");
        for (int i = 0; i < 2; i++)
        {
            CommandResult started = await docker.RunAsync("start", "-a", id);
            started.ExitCode.ShouldBe(3, started.ToString());
            started.Output.ShouldBe("run\n");
        }

        (await docker.MustAsync("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}", id)).ShouldBe("exited 3 false \n");
        await docker.MustAsync("rm", id);
    }

    [Fact]
    public async Task A_running_container_is_restarted_measured_and_inspected()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["run", "-d", "--memory", "300m", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "echo up; sleep 100"])).Trim();
        await docker.MustAsync("restart", "--time", "0", id);
        (await docker.MustAsync("inspect", "--format", "{{.State.Status}} {{.RestartCount}}", id)).ShouldBe("running 0\n");
        (await docker.MustAsync("exec", id, "/bin/sh", "-c", "grep MemTotal /proc/meminfo")).ShouldBe("MemTotal:         307200 kB\n");
        (await docker.MustAsync("stats", "--no-stream", "--format", "{{.ID}}", id)).ShouldBe(id[..12] + "\n");
        await docker.MustAsync("rm", "-f", id);
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_are_copied_in_and_out_when_the_root_is_shared()
    {
        await docker.NeedAsync();
        string folder = Directory.CreateTempSubdirectory("cvisor-copy-").FullName;
        string id = (await docker.MustAsync("run", "-d", "--runtime=runsc-shared", "--network=none", DockerDaemon.Image, "/bin/sh", "-c", "echo inside > /made; sleep 100")).Trim();
        try
        {
            File.WriteAllText(folder + "/given", "outside\n");
            await docker.MustAsync("cp", folder + "/given", id + ":/given");
            (await docker.MustAsync("exec", id, "/bin/cat", "/given")).ShouldBe("outside\n");
            await docker.MustAsync("cp", id + ":/made", folder + "/made");
            File.ReadAllText(folder + "/made").ShouldBe("inside\n");
        }
        finally
        {
            await docker.RunAsync("rm", "-f", id);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Top_shows_the_sandbox_and_nothing_of_the_host_s()
    {
        await docker.NeedAsync();
        string id = (await docker.MustAsync(["run", "-d", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c", "sleep 100 & sleep 100"])).Trim();
        string pid = (await docker.MustAsync("inspect", "--format", "{{.State.Pid}}", id)).Trim();
        string[] rows = (await docker.MustAsync("top", id, "-eo", "pid,args")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        rows.Length.ShouldBe(2, string.Join('\n', rows));
        rows[1].ShouldStartWith(pid + " ");
        rows[1].ShouldContain(id);
        await docker.MustAsync("rm", "-f", id);
    }

    [Fact]
    public async Task An_init_of_docker_s_reaps_orphans_and_passes_signals_on()
    {
        await docker.NeedAsync();
        Requirements.NeedCommand("docker-init");
        string id = (await docker.MustAsync(["run", "-d", "--init", .. DockerDaemon.Runtime, DockerDaemon.Image, "/bin/sh", "-c",
            "(sh -c 'sleep 0.2; exit 1' &); trap 'echo bye; exit 6' TERM; echo started; while :; do sleep 0.1; done"])).Trim();
        for (int i = 0; i < 100 && await docker.MustAsync("logs", id) != "started\n"; i++)
        {
            await Task.Delay(100);
        }

        await Task.Delay(500);
        string processes = await docker.MustAsync("exec", id, "/bin/sh", "-c", "cat /proc/1/comm; cat /proc/[0-9]*/status 2>/dev/null | grep -c zombie; true");
        processes.ShouldBe("docker-init\n0\n");
        await docker.MustAsync("stop", "--time", "20", id);
        (await docker.MustAsync("inspect", "--format", "{{.State.ExitCode}}", id)).ShouldBe("6\n");
        (await docker.MustAsync("logs", id)).ShouldBe("started\nbye\n");
        await docker.MustAsync("rm", id);
        Leftovers.ProcessesOf(id).ShouldBeEmpty();
    }
}
