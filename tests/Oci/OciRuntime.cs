// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>A runtime under test, ours or runc, with a state directory of its own; what is left in it at the end is deleted.</summary>
internal sealed class OciRuntime : IAsyncDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("cvisor-oci-").FullName;
    private readonly string _path;
    private readonly string[] _flags;

    private OciRuntime(string name, string path, params string[] flags)
    {
        Name = name;
        _path = path;
        _flags = flags;
    }

    /// <summary>The runtimes that every scenario is valid for.</summary>
    public static IEnumerable<TheoryDataRow<string>> Names => [new TheoryDataRow<string>("runsc"), new TheoryDataRow<string>("runc")];

    /// <summary>"runsc" or "runc".</summary>
    public string Name { get; }

    /// <summary>The state directory.</summary>
    public string State => _state;

    /// <summary>The program and its global flags.</summary>
    public string[] CommandLine => [_path, "--root", _state, .. _flags];

    /// <summary>Finds a runtime; skips the calling test when it cannot run here.</summary>
    public static OciRuntime Get(string name, params string[] flags)
    {
        Requirements.NeedRoot();
        if (name == "runc")
        {
            Requirements.NeedCommand("runc");
            return new OciRuntime(name, Requirements.Find("runc")!);
        }

        Sandbox.NeedPrograms();
        return new OciRuntime(name, RepositoryPaths.Runsc, ["--network=none", "--ignore-cgroups", .. flags]);
    }

    /// <summary>Runs a command of the runtime to its end.</summary>
    public Task<CommandResult> RunAsync(IEnumerable<string> arguments, string input = "", TimeSpan? timeout = null) =>
        Command.RunAsync(_path, [.. CommandLine[1..], .. arguments], input, timeout);

    /// <summary>Runs a command that must end with 0; gives its output.</summary>
    public async Task<string> MustAsync(params string[] arguments)
    {
        CommandResult result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.ToString());
        return result.Output;
    }

    /// <summary>Makes and starts a container whose output nobody reads, as containerd does: its streams outlive the command.</summary>
    public async Task StartDetachedAsync(Bundle bundle, string id)
    {
        // The shell gives it streams of its own, so that the wait for the command's output does not wait for the container.
        string command = string.Join(' ', CommandLine.Select(static word => $"'{word}'"));
        CommandResult result = await Command.RunAsync("/bin/sh", ["-c", $"{command} run --detach --bundle '{bundle.Folder}' {id} </dev/null >'{bundle.Folder}/out' 2>&1"]);
        result.ExitCode.ShouldBe(0, result + File.ReadAllText(bundle.Folder + "/out"));
    }

    /// <summary>Makes a container without starting it, its streams likewise.</summary>
    public async Task<CommandResult> CreateAsync(Bundle bundle, string id, string flags = "")
    {
        string command = string.Join(' ', CommandLine.Select(static word => $"'{word}'"));
        CommandResult result = await Command.RunAsync("/bin/sh", ["-c", $"{command} create {flags} --bundle '{bundle.Folder}' {id} </dev/null >'{bundle.Folder}/out' 2>&1"]);
        return result with { Error = result.Error + File.ReadAllText(bundle.Folder + "/out") };
    }

    /// <summary>The status in the state document.</summary>
    public async Task<string> StatusAsync(string id)
    {
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(await MustAsync("state", id));
        return document.RootElement.GetProperty("status").GetString()!;
    }

    /// <summary>Waits until a container has a status.</summary>
    public async Task WaitForStatusAsync(string id, string status, bool mayBeMissing = false)
    {
        string last = "";
        for (int i = 0; i < 200; i++)
        {
            last = mayBeMissing && (await RunAsync(["state", id])).ExitCode != 0 ? "missing" : await StatusAsync(id);
            if (last == status)
            {
                return;
            }

            await Task.Delay(50);
        }

        last.ShouldBe(status);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (string id in (await RunAsync(["list", "-q"])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await RunAsync(["delete", "--force", id]);
        }

        Directory.Delete(_state, recursive: true);
    }
}
