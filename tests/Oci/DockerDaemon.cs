// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>
/// A Docker daemon of the tests' own: network namespace, data, state and socket lie in a folder of its own; it is ended
/// by its PID.
/// </summary>
public sealed class DockerDaemon : IAsyncLifetime
{
    /// <summary>The image's name.</summary>
    public const string Image = "cvisor-test";

    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-dockerd-").FullName;
    private Process? _daemon;
    private string _problem = "not started";

    /// <summary>The flags that choose our runtime and no network.</summary>
    public static string[] Runtime => ["--runtime=runsc", "--network=none"];

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (!Requirements.IsRoot || Requirements.Find("dockerd") is null || Requirements.Find("unshare") is null || Requirements.Find("busybox") is null)
        {
            _problem = "needs root, docker.io and busybox";
            return;
        }

        string wrapper = _folder + "/runsc";
        File.WriteAllText(wrapper, $"#!/bin/sh\nexec '{RepositoryPaths.Runsc}' --debug-log={_folder}/logs/ \"$@\"\n");
        File.SetUnixFileMode(wrapper, (UnixFileMode)0x1ED);
        File.WriteAllText(_folder + "/daemon.json", $$$"""
            {"runtimes": {"runsc": {"path": "{{{wrapper}}}"}, "runsc-shared": {"path": "{{{wrapper}}}", "runtimeArgs": ["--overlay2=none", "--file-access=shared"]}}, "data-root": "{{{_folder}}}/data", "exec-root": "{{{_folder}}}/exec", "pidfile": "{{{_folder}}}/pid",
             "hosts": ["unix://{{{_folder}}}/docker.sock"], "iptables": false, "ip6tables": false, "bridge": "none"}
            """);
        ProcessStartInfo start = new("/bin/sh")
        {
            // A cgroup v1 host whose controllers some other daemon has hidden is none of ours to mend.
            ArgumentList = { "-c", $"exec unshare --net -- sh -c 'ip link set lo up; exec dockerd --config-file {_folder}/daemon.json' >{_folder}/dockerd.log 2>&1 </dev/null" },
            UseShellExecute = false,
        };
        _daemon = Process.Start(start)!;
        for (int i = 0; i < 300; i++)
        {
            if (_daemon.HasExited)
            {
                _problem = "dockerd does not start here: " + File.ReadAllText(_folder + "/dockerd.log").Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
                return;
            }

            if ((await RunAsync("version")).ExitCode == 0)
            {
                _problem = "";
                await ImportAsync();
                return;
            }

            await Task.Delay(100);
        }

        _problem = "dockerd is not ready within 30 s";
    }

    /// <summary>Skips the calling test when there is no daemon.</summary>
    public Task NeedAsync()
    {
        Sandbox.NeedPrograms();
        Assert.SkipUnless(_problem.Length == 0, _problem);
        return Task.CompletedTask;
    }

    /// <summary>Runs the client.</summary>
    public Task<CommandResult> RunAsync(params IEnumerable<string> arguments) => RunAsync(arguments, "");

    /// <summary>Runs the client with input.</summary>
    public Task<CommandResult> RunAsync(IEnumerable<string> arguments, string input) =>
        Command.RunAsync(Requirements.Find("docker")!, ["--host", $"unix://{_folder}/docker.sock", .. arguments], input, TimeSpan.FromSeconds(90));

    /// <summary>Runs the client; it must end with 0. Gives its output.</summary>
    public async Task<string> MustAsync(params IEnumerable<string> arguments)
    {
        CommandResult result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.ToString());
        return result.Output;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_daemon is { HasExited: false })
        {
            string ids = (await RunAsync("ps", "-aq")).Output;
            foreach (string id in ids.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                await RunAsync("rm", "-f", id);
            }

            // Removal goes on behind the client's back; a daemon that ends meanwhile leaves the shim behind.
            for (int i = 0; i < 100 && Shims().Count > 0; i++)
            {
                await Task.Delay(100);
            }

            await Command.RunAsync("/bin/sh", ["-c", $"kill -TERM {_daemon.Id}"]);
            using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(20));
            try
            {
                await _daemon.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                _daemon.Kill(entireProcessTree: true);
            }
        }

        foreach (int shim in Shims())
        {
            await Command.RunAsync("/bin/sh", ["-c", $"kill -KILL {shim}"]);
        }

        _daemon?.Dispose();
        await Command.RunAsync("/bin/sh", ["-c", $"rm -rf '{_folder}'"]);
    }

    /// <summary>The processes that containerd keeps beside each container of this daemon.</summary>
    private List<int> Shims()
    {
        List<int> found = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            try
            {
                string line = File.ReadAllText(folder + "/cmdline");
                if (line.Contains("containerd-shim", StringComparison.Ordinal) && line.Contains(_folder + "/", StringComparison.Ordinal))
                {
                    found.Add(int.Parse(Path.GetFileName(folder)));
                }
            }
            catch (IOException)
            {
                // No process, or one that has just ended.
            }
            catch (UnauthorizedAccessException)
            {
                // Somebody else's.
            }
        }

        return found;
    }

    private async Task ImportAsync()
    {
        string root = await BusyboxRoot.MakeAsync();
        await Command.MustAsync("/bin/sh", "-c", $"tar -C '{root}' -c . | '{Requirements.Find("docker")}' --host unix://{_folder}/docker.sock import - {Image}");
    }
}
