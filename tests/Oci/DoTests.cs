// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class DoTests : IDisposable
{
    private readonly Sandbox _sandbox = new("ptrace");

    public DoTests()
    {
        Requirements.NeedRoot();
        Sandbox.NeedPrograms();
    }

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task The_host_s_root_is_there_and_stays_as_it_was()
    {
        string file = "/tmp/cvisor-do-" + Sandbox.NewId();
        CommandResult result = await _sandbox.DoAsync(["/bin/sh", "-c", $"echo inside > {file} && cat {file}; exit 5"]);
        result.ExitCode.ShouldBe(5, result.ToString());
        result.Output.ShouldBe("inside\n");
        File.Exists(file).ShouldBeFalse();
    }

    [Fact]
    public async Task A_volume_is_writable()
    {
        string folder = Directory.CreateTempSubdirectory("cvisor-volume-").FullName;
        try
        {
            CommandResult result = await _sandbox.RunscAsync(["do", "--volume", folder + ":/mnt", "/bin/sh", "-c", "echo written > /mnt/file"]);
            result.ExitCode.ShouldBe(0, result.ToString());
            File.ReadAllText(folder + "/file").ShouldBe("written\n");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Arguments_environment_and_working_directory_are_the_caller_s()
    {
        CommandResult result = await _sandbox.RunscAsync(["do", "--cwd", "/usr", "/bin/sh", "-c", "pwd; echo \"$1 $HOME\"", "zero", "a  b"]);
        result.Output.ShouldBe($"/usr\na  b {Environment.GetEnvironmentVariable("HOME")}\n", result.ToString());
    }

    [Fact]
    public async Task A_killed_do_leaves_no_process()
    {
        string state = Directory.CreateTempSubdirectory("cvisor-do-").FullName;
        CommandResult result = await Command.RunAsync(
            "/bin/sh",
            ["-c", $"'{RepositoryPaths.Runsc}' --root {state} --network=none --ignore-cgroups do /bin/sleep 77 & sleep 1; kill -9 $!; wait"]);
        string id = Path.GetFileNameWithoutExtension(Directory.GetFiles(state, "*.state").Single());
        for (int i = 0; i < 100 && Leftovers.ProcessesOf(id).Count > 0; i++)
        {
            await Task.Delay(50);
        }

        Leftovers.ProcessesOf(id).ShouldBeEmpty(result.ToString());
        await Command.MustAsync(RepositoryPaths.Runsc, "--root", state, "delete", id);
        Directory.GetFileSystemEntries(state).ShouldBeEmpty();
        Directory.Delete(state);
    }

    [Fact]
    public async Task Signals_reach_the_guest()
    {
        CommandResult result = await Command.RunAsync(
            "/bin/sh",
            ["-c", $"'{RepositoryPaths.Runsc}' {string.Join(' ', _sandbox.GlobalOptions)} do /bin/sh -c \"trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done\" & sleep 2; kill -TERM $!; wait $!; echo status $?"]);
        result.Output.ShouldBe("ready\ncaught\nstatus 3\n", result.ToString());
    }

    [Fact]
    public async Task Without_root_it_runs_in_a_user_namespace()
    {
        Requirements.NeedCommand("setpriv");
        string state = Directory.CreateTempSubdirectory("cvisor-rootless-").FullName;
        File.SetUnixFileMode(state, (UnixFileMode)0x1FF);
        string binary = state + "/runsc";
        File.Copy(RepositoryPaths.Runsc, binary);
        CommandResult result = await Command.RunAsync(
            "setpriv",
            ["--reuid=12345", "--regid=12345", "--clear-groups", binary, "--root", state + "/s", "--network=none", "do", "/bin/sh", "-c", "id -u; echo $((6 * 7)); exit 4"],
            workingDirectory: "/");
        try
        {
            if (result.ExitCode == 128)
            {
                // Then the host forbids it, and that is said.
                result.Error.ShouldContain("user namespace");
                return;
            }

            result.ExitCode.ShouldBe(4, result.ToString());
            result.Output.ShouldBe("0\n42\n");
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }
}
