// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace CVisor.Benchmarks.Guest;

/// <summary>Runs the measuring programs for one contestant and collects its figures.</summary>
internal sealed class Runner : IDisposable
{
    private const int StartRounds = 11;
    private const int SettleMs = 1000;

    private readonly string _root = Directory.CreateTempSubdirectory("cvisor-bench-").FullName;
    private readonly string _state = Directory.CreateTempSubdirectory("cvisor-bench-state-").FullName;
    private readonly Contestant _contestant;
    private readonly string[] _environment;
    private int _lastId;

    public Runner(Contestant contestant)
    {
        _contestant = contestant;
        string seconds = Environment.GetEnvironmentVariable("BENCH_SECONDS") ?? "0.3";
        foreach (string folder in (string[])["bench", "proc", "sys", "dev", "tmp"])
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
        }

        File.Copy(Programs.Micro, Path.Combine(_root, "micro"));
        _environment = [$"BENCH_SECONDS={seconds}", contestant.Runtime is null ? $"BENCH_DIR={_root}/bench" : "BENCH_DIR=/bench"];
    }

    /// <summary>Measures everything, or only the figures whose names hold one of the words.</summary>
    /// <param name="words">The words.</param>
    /// <returns>The values by figure.</returns>
    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(IReadOnlyList<string> words)
    {
        Dictionary<string, double> values = [];
        CommandResult result = await RunAsync(["/micro", .. words]);
        foreach (string line in result.Output.Split('\n'))
        {
            string[] parts = line.Trim().Split('\t');
            if (parts.Length == 3 && double.TryParse(parts[1], CultureInfo.InvariantCulture, out double value))
            {
                values[parts[0]] = value;
            }
        }

        if (result.ExitCode != 0)
        {
            await Console.Error.WriteLineAsync($"{_contestant.Name}: {result}");
        }

        if (IsWanted("run_true", words) && await MeasureStartAsync() is { } start)
        {
            values["run_true"] = start;
        }

        if (IsWanted("idle_pss", words) && _contestant.Runtime is not null && await MeasureIdleAsync() is { } idle)
        {
            values["idle_pss"] = idle;
        }

        return values;
    }

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        Directory.Delete(_state, recursive: true);
    }

    private static bool IsWanted(string name, IReadOnlyList<string> words) =>
        words.Count == 0 || words.Any(word => name.Contains(word, StringComparison.Ordinal));

    private Task<CommandResult> RunAsync(string[] command)
    {
        TimeSpan timeout = TimeSpan.FromMinutes(5);
        if (_contestant.Runtime is null)
        {
            string[] native = [_root + command[0], .. command[1..]];
            return Command.RunAsync("/usr/bin/env", [.. _environment, .. native], timeout: timeout);
        }

        Bundle bundle = MakeBundle(command);
        return RunBundleAsync(bundle, timeout);
    }

    private async Task<CommandResult> RunBundleAsync(Bundle bundle, TimeSpan timeout)
    {
        using (bundle)
        {
            return await Command.RunAsync(_contestant.Runtime!, [.. Global(), "run", "--bundle", bundle.Folder, NewId()], timeout: timeout);
        }
    }

    // The median wall time of the whole command, in milliseconds.
    private async Task<double?> MeasureStartAsync()
    {
        List<double> times = [];
        for (int round = 0; round < StartRounds; round++)
        {
            long started = Stopwatch.GetTimestamp();
            CommandResult result = await RunAsync(["/micro", "__exit"]);
            if (result.ExitCode != 0)
            {
                return null;
            }

            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    // Memory of every process an idle container leaves behind, in MB.
    private async Task<double?> MeasureIdleAsync()
    {
        string id = NewId();
        using Bundle bundle = MakeBundle(["/micro", "__idle"]);
        string[] start = [_contestant.Runtime!, .. Global(), "run", "--detach", "--bundle", bundle.Folder, id];
        CommandResult result = await Command.RunAsync(Programs.Idle, [$"{SettleMs}", .. start]);
        await Command.RunAsync(_contestant.Runtime!, [.. Global(), "delete", "--force", id]);
        string[] parts = result.Output.Trim().Split(' ');
        return result.ExitCode == 0 && parts.Length == 2 ? double.Parse(parts[1], CultureInfo.InvariantCulture) * 1024 / 1e6 : null;
    }

    // Files are made in the root itself, through whatever the runtime puts over it; /tmp would be a tmpfs everywhere.
    private Bundle MakeBundle(string[] command)
    {
        Bundle bundle = Bundle.Create(_root, command, _environment);
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        mounts.Remove(mounts.First(mount => (string?)mount!["destination"] == "/tmp"));
        // Docker's default rights: a machine may not have all of them to give.
        JsonObject process = bundle.Config["process"]!.AsObject();
        process["capabilities"] = new JsonObject
        {
            ["bounding"] = Capabilities(),
            ["effective"] = Capabilities(),
            ["permitted"] = Capabilities(),
        };
        bundle.Save();
        return bundle;
    }

    private static JsonArray Capabilities() => ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE"];

    private string[] Global() => ["--root", _state, .. _contestant.Options];

    private string NewId() => $"bench-{Environment.ProcessId}-{++_lastId}";
}
