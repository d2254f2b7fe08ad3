// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>What the host's kernel lets a running sandbox and its gofer do, and what is told when one of them dies.</summary>
public sealed class ConfinementTests : IAsyncDisposable
{
    private const int WriteOnly = 1, AccessMode = 3, OPath = 0x200000;

    private readonly OciRuntime _runtime = OciRuntime.Get("runsc");
    private readonly string _id = Sandbox.NewId();

    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    [Fact]
    public async Task Every_thread_is_under_a_filter_and_cannot_gain_rights()
    {
        using Bundle bundle = await StartAsync("/bin/sleep", "100");
        foreach (string name in (string[])["sandbox", "gofer"])
        {
            foreach (string thread in Directory.GetDirectories($"/proc/{PidOf(name)}/task"))
            {
                Dictionary<string, string> status = Status(thread + "/status");
                status["Seccomp"].ShouldBe("2", name);
                status["NoNewPrivs"].ShouldBe("1", name);
                if (name == "sandbox")
                {
                    status["CapEff"].ShouldBe("0000000000000000");
                    status["CapPrm"].ShouldBe("0000000000000000");
                    status["CapBnd"].ShouldBe("0000000000000000");
                    status["Uid"].Split('\t').Distinct().ShouldBe(["65534"]);
                    status["Gid"].Split('\t').Distinct().ShouldBe(["65534"]);
                    status["Groups"].Trim().ShouldBe("");
                }
                else
                {
                    // chown, dac_override, dac_read_search, fowner, fsetid, setgid, setuid, mknod, setfcap: over files.
                    (Convert.ToUInt64(status["CapEff"], 16) & ~0x880000dfUL).ShouldBe(0UL);
                    (Convert.ToUInt64(status["CapBnd"], 16) & ~0x880000dfUL).ShouldBe(0UL);
                }
            }
        }
    }

    [Fact]
    public async Task Root_and_namespaces_are_their_own_and_empty()
    {
        using Bundle bundle = await StartAsync("/bin/sleep", "100");
        foreach (string name in (string[])["sandbox", "gofer"])
        {
            int pid = PidOf(name);
            Directory.GetFileSystemEntries($"/proc/{pid}/root/").ShouldBeEmpty();
            File.ReadAllLines($"/proc/{pid}/mountinfo").Length.ShouldBe(1, name);
            foreach (string space in (string[])["mnt", "net", "ipc", "uts"])
            {
                Link($"/proc/{pid}/ns/{space}").ShouldNotBe(Link("/proc/self/ns/" + space));
            }

            File.ReadAllLines($"/proc/{pid}/net/dev").Length.ShouldBe(3, name); // two of headings, and lo
        }

        Link($"/proc/{PidOf("sandbox")}/ns/pid").ShouldNotBe(Link("/proc/self/ns/pid"));
    }

    [Theory]
    [InlineData("--directfs=true")]
    [InlineData("--directfs=false")]
    public async Task The_sandbox_holds_no_directory_and_no_file_but_the_guest_s(string directFs)
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc", directFs);
        using Bundle bundle = await StartAsync(runtime, "/bin/sh", "-c", "cat /etc/passwd > /dev/null; ls / > /dev/null; sleep 100");

        // The last one is where it leaves its exit status, to be written only.
        string end = $"{runtime.State}/{_id}.exit";
        string root = bundle.Config["root"]!["path"]!.GetValue<string>();
        string[] allowed = ["/dev/null", "/urandom", "/bin/busybox", "/etc/passwd", bundle.Folder + "/out", end];
        foreach (string fd in Directory.GetFileSystemEntries($"/proc/{PidOf("sandbox")}/fd"))
        {
            string target = Link(fd);
            if (directFs == "--directfs=true" && Directory.Exists(fd))
            {
                // Of the container's tree, which is a mount of its own: its paths begin at its root. Good for looking names up.
                target.ShouldBeOneOf("/", "/bin", "/etc");
                Directory.GetFileSystemEntries(fd).Select(Path.GetFileName).Order().ShouldBe(Directory.GetFileSystemEntries(root + target).Select(Path.GetFileName).Order());
                (Flags(fd) & OPath).ShouldBe(OPath, target);
            }
            else if (target.StartsWith('/') && !target.StartsWith("/memfd:", StringComparison.Ordinal) && !target.EndsWith(" (deleted)", StringComparison.Ordinal))
            {
                allowed.ShouldContain(target);
                (target != end || (Flags(fd) & AccessMode) == WriteOnly).ShouldBeTrue(target);
                Directory.Exists(fd).ShouldBeFalse(target);
            }
        }
    }

    [Fact]
    public async Task A_forbidden_host_call_ends_the_sandbox_with_a_message_that_names_it()
    {
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        Task<CommandResult> run = _runtime.RunAsync(["run", "--bundle", bundle.Folder, _id]);
        await _runtime.WaitForStatusAsync(_id, "running", mayBeMissing: true);
        await ForbiddenCallAsync(PidOf("sandbox"));
        CommandResult result = await run;
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldBe("runsc: the sandbox ended: its filter forbids the host call socket\n");
        (await _runtime.MustAsync("list", "-q")).ShouldBe("");
        Leftovers.ProcessesOf(_id).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_gofer_that_makes_a_forbidden_call_ends_with_its_sandbox()
    {
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        Task<CommandResult> run = _runtime.RunAsync(["run", "--bundle", bundle.Folder, _id]);
        await _runtime.WaitForStatusAsync(_id, "running", mayBeMissing: true);
        await ForbiddenCallAsync(PidOf("gofer"));
        CommandResult result = await run;
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldBe("runsc: the gofer ended: its filter forbids the host call 41\nrunsc: the sandbox ended: the gofer process ended, and the container's files with it\n");
        Leftovers.ProcessesOf(_id).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sandbox", "runsc: container ID: the sandbox process was killed by SIGKILL (from outside, or the host is out of memory)\n")]
    [InlineData("gofer", "runsc: the sandbox ended: the gofer process ended, and the container's files with it\n")]
    public async Task A_run_whose_processes_are_killed_says_so_and_leaves_nothing(string name, string message)
    {
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sleep", "100"]);
        Task<CommandResult> run = _runtime.RunAsync(["run", "--bundle", bundle.Folder, _id]);
        await _runtime.WaitForStatusAsync(_id, "running", mayBeMissing: true);
        Process.GetProcessById(PidOf(name)).Kill();
        CommandResult result = await run;
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldBe(message.Replace("ID", _id, StringComparison.Ordinal));
        (await _runtime.MustAsync("list", "-q")).ShouldBe("");
        Leftovers.ProcessesOf(_id).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sandbox")]
    [InlineData("gofer")]
    public async Task An_exec_whose_sandbox_dies_says_so(string name)
    {
        using Bundle bundle = await StartAsync("/bin/sleep", "100");
        Task<CommandResult> exec = _runtime.RunAsync(["exec", _id, "/bin/sh", "-c", "echo up; sleep 100"]);
        for (int i = 0; i < 100 && !(await _runtime.MustAsync("ps", _id)).Contains("sh", StringComparison.Ordinal); i++)
        {
            await Task.Delay(50);
        }

        await Task.Delay(200);
        Process.GetProcessById(PidOf(name)).Kill();
        CommandResult result = await exec;
        result.ExitCode.ShouldBe(128, result.ToString());
        result.Error.ShouldContain($"runsc: container {_id}: the sandbox ended while the process was waited for");
        await _runtime.WaitForStatusAsync(_id, "stopped");
    }

    [Fact]
    public async Task An_exec_ends_with_137_when_the_first_process_ends()
    {
        using Bundle bundle = await StartAsync("/bin/sleep", "2");
        CommandResult result = await _runtime.RunAsync(["exec", _id, "/bin/sleep", "100"]);
        result.ExitCode.ShouldBe(137, result.ToString());
        result.Error.ShouldBe("");
    }

    private Task<Bundle> StartAsync(params string[] command) => StartAsync(_runtime, command);

    private async Task<Bundle> StartAsync(OciRuntime runtime, params string[] command)
    {
        Bundle bundle = await OciBundle.CreateAsync(command);
        await runtime.StartDetachedAsync(bundle, _id);
        return bundle;
    }

    private int PidOf(string name) =>
        Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(static entry => int.TryParse(entry, out _)).Select(int.Parse!).Single(pid =>
        {
            try
            {
                string[] arguments = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
                return arguments[0] == "runsc-" + name && arguments.Contains(_id);
            }
            catch (IOException)
            {
                return false; // ended just now
            }
        });

    private static async Task ForbiddenCallAsync(int pid)
    {
        string program = Path.Combine(Directory.CreateTempSubdirectory("cvisor-forbidden-").FullName, "forbidden");
        try
        {
            await CCompiler.CompileAsync(Path.Combine(RepositoryPaths.Root, "tests/Oci/forbidden.c"), program);
            await Command.MustAsync(program, pid.ToString());
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(program)!, recursive: true);
        }
    }

    /// <summary>A descriptor's O_* flags, from /proc/PID/fdinfo (octal).</summary>
    private static int Flags(string fd) => Convert.ToInt32(
        File.ReadLines(fd.Replace("/fd/", "/fdinfo/", StringComparison.Ordinal)).Single(static line => line.StartsWith("flags:", StringComparison.Ordinal))[6..].Trim(), 8);

    private static string Link(string path) => new FileInfo(path).LinkTarget ?? path;

    private static Dictionary<string, string> Status(string path) =>
        File.ReadLines(path).Select(static line => line.Split(':', 2)).ToDictionary(static parts => parts[0], static parts => parts[1].TrimStart('\t'));
}
