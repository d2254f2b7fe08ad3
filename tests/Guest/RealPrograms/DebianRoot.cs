// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>A Debian root made by debootstrap from the machine's own package source, kept between runs.</summary>
public sealed class DebianRoot : IAsyncLifetime
{
    private const string Packages = "busybox-static,python3,perl,sqlite3,git,gcc,libc6-dev,make,xz-utils,bzip2,procps";
    private const string Suite = "bookworm";

    private static readonly SemaphoreSlim s_once = new(1);

    /// <summary>The root's path; null when it could not be made, and <see cref="Reason"/> says why.</summary>
    public string? Folder { get; private set; }

    /// <summary>Why there is no root.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether a command is installed in the root.</summary>
    /// <param name="command">Its name, or its absolute path.</param>
    /// <returns>True when it is; its links may be absolute, so they are not followed.</returns>
    public bool Has(string command)
    {
        string[] folders = command.StartsWith('/') ? [""] : ["usr/bin", "usr/sbin"];
        return Array.Exists(folders, folder => new FileInfo(Path.Combine(Folder!, folder, command.TrimStart('/'))) is { Exists: true } or { LinkTarget: not null });
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (!Requirements.IsRoot || Requirements.Find("debootstrap") is null)
        {
            Reason = Requirements.IsRoot ? "needs the command 'debootstrap'" : "needs root";
            return;
        }

        await s_once.WaitAsync();
        try
        {
            Folder = await MakeAsync();
        }
        finally
        {
            s_once.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<string?> MakeAsync()
    {
        string cache = Environment.GetEnvironmentVariable("CVISOR_TEST_CACHE") ?? "/var/cache/cvisor-tests";
        string folder = Path.Combine(cache, $"debian-{Suite}-1");
        if (Directory.Exists(folder))
        {
            return folder;
        }

        Directory.CreateDirectory(cache);
        string started = $"{folder}.{Environment.ProcessId}";
        CommandResult result = await Command.RunAsync(
            "debootstrap",
            ["--variant=minbase", $"--include={Packages}", Suite, started, await MirrorAsync()],
            timeout: TimeSpan.FromMinutes(9));
        if (result.ExitCode != 0)
        {
            Reason = $"debootstrap: {result.Output.Split('\n').LastOrDefault(line => line.Length > 0)} {result.Error}";
            return null;
        }

        foreach (string leftover in Directory.EnumerateFiles(Path.Combine(started, "var/cache/apt/archives"), "*.deb"))
        {
            File.Delete(leftover);
        }

        Directory.Move(started, folder);
        return folder;
    }

    // Where this machine's own apt takes the suite from: the first http line of the policy that names it.
    private static async Task<string> MirrorAsync()
    {
        CommandResult policy = await Command.RunAsync("apt-cache", ["policy"]);
        string? line = policy.Output.Split('\n').FirstOrDefault(l => l.Contains("http", StringComparison.Ordinal) && l.Contains($" {Suite}/main", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] ?? "http://deb.debian.org/debian";
    }
}
