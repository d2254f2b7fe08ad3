// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace CVisor.Tests.Support;

/// <summary>Runs things in our sandbox, through the published binary and nothing else.</summary>
public sealed class Sandbox : IDisposable
{
    private static int s_lastId;

    private readonly string _platform;
    private readonly string _stateFolder = Directory.CreateTempSubdirectory("cvisor-state-").FullName;

    /// <summary>Initializes a user of one platform, with state of its own.</summary>
    /// <param name="platform">The platform's name, as <c>--platform</c> takes it.</param>
    public Sandbox(string platform) => _platform = platform;

    /// <summary>The platforms this tree can run programs on; CVISOR_PLATFORMS names others, with spaces between.</summary>
    public static IReadOnlyList<string> Platforms { get; } = Environment.GetEnvironmentVariable("CVISOR_PLATFORMS")?.Split(' ') ?? ["ptrace", "systrap"];

    /// <summary>Skips the calling test when CVISOR_SANDBOX=0 asks for the host's side alone.</summary>
    public static void NeedPrograms() =>
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CVISOR_SANDBOX") != "0", "CVISOR_SANDBOX=0: nothing runs in the sandbox");

    /// <summary>The options before the command: state folder, platform, no network, no cgroups.</summary>
    public IReadOnlyList<string> GlobalOptions =>
        ["--root", _stateFolder, "--platform", _platform, "--network=none", "--ignore-cgroups"];

    /// <summary>A container name that no other test of this run has.</summary>
    /// <returns>The name.</returns>
    public static string NewId() => $"t{Environment.ProcessId}-{Interlocked.Increment(ref s_lastId)}";

    /// <summary>Calls the runtime: <c>runsc [global options] arguments...</c>.</summary>
    /// <param name="arguments">The command and its own arguments.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="timeout">When it is killed.</param>
    /// <returns>How it ended.</returns>
    public Task<CommandResult> RunscAsync(IEnumerable<string> arguments, string input = "", TimeSpan? timeout = null) =>
        Command.RunAsync(RepositoryPaths.Runsc, [.. GlobalOptions, .. arguments], input, timeout);

    /// <summary>Runs a command with the host's root, read-only under an overlay: <c>runsc do</c>.</summary>
    /// <param name="command">The command.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="timeout">When it is killed.</param>
    /// <returns>How it ended.</returns>
    public Task<CommandResult> DoAsync(IEnumerable<string> command, string input = "", TimeSpan? timeout = null) =>
        RunscAsync(["do", .. command], input, timeout);

    /// <summary>Runs a bundle to its end: <c>runsc run</c>; what is left of it at the deadline is deleted.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="timeout">When it is killed.</param>
    /// <returns>How it ended.</returns>
    public async Task<CommandResult> RunAsync(Bundle bundle, string input = "", TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        string id = NewId();
        CommandResult result = await RunscAsync(["run", "--bundle", bundle.Folder, id], input, timeout).ConfigureAwait(false);
        if (result.HasTimedOut)
        {
            await RunscAsync(["delete", "--force", id], timeout: TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_stateFolder, recursive: true);
}
