// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace CVisor.Benchmarks.Guest;

/// <summary>Runs commands for one contestant: natively, or each in a fresh container of its runtime.</summary>
internal sealed class Machine : IDisposable
{
    private const int SettleMs = 1000;

    private readonly string _state = Directory.CreateTempSubdirectory("cvisor-bench-state-").FullName;
    private readonly Contestant _contestant;
    private readonly string _root;
    private readonly IReadOnlyList<JsonNode> _mounts;
    private int _lastId;

    /// <summary>Initializes a machine.</summary>
    /// <param name="contestant">Whose it is.</param>
    /// <param name="root">The folder that is the containers' root.</param>
    /// <param name="mounts">Mounts of the containers, beside the usual ones.</param>
    public Machine(Contestant contestant, string root, IReadOnlyList<JsonNode> mounts)
    {
        _contestant = contestant;
        _root = root;
        _mounts = mounts;
    }

    /// <summary>The median, the upper one of two.</summary>
    /// <param name="values">The values; at least one.</param>
    /// <returns>The one in the middle.</returns>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>Reads the figures that a measuring program printed: name, a tab, value, a tab, unit.</summary>
    /// <param name="output">What it printed.</param>
    /// <returns>Names and values.</returns>
    public static IEnumerable<(string Name, double Value)> Parse(string output)
    {
        foreach (string line in output.Split('\n'))
        {
            string[] parts = line.Trim().Split('\t');
            if (parts.Length == 3 && double.TryParse(parts[1], CultureInfo.InvariantCulture, out double value))
            {
                yield return (parts[0], value);
            }
        }
    }

    /// <summary>The path by which a command of this contestant names a file of the root.</summary>
    /// <param name="path">Its absolute path in the root.</param>
    /// <returns>The path.</returns>
    public string Inside(string path) => _contestant.Runtime is null ? _root + path : path;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">The command; its first word is an absolute path.</param>
    /// <param name="environment">Its variables, as NAME=value.</param>
    /// <returns>How it ended.</returns>
    public async Task<CommandResult> RunAsync(IReadOnlyList<string> command, params string[] environment)
    {
        TimeSpan timeout = TimeSpan.FromMinutes(5);
        if (_contestant.Runtime is null)
        {
            return await Command.RunAsync("/usr/bin/env", [.. environment, .. command], timeout: timeout);
        }

        using Bundle bundle = MakeBundle(command, environment);
        return await Command.RunAsync(_contestant.Runtime, [.. Global(), "run", "--bundle", bundle.Folder, NewId()], timeout: timeout);
    }

    /// <summary>Measures the wall time of the whole command.</summary>
    /// <param name="rounds">How often.</param>
    /// <param name="command">The command.</param>
    /// <returns>The median in milliseconds; null when the command failed.</returns>
    public async Task<double?> MeasureStartAsync(int rounds, params string[] command)
    {
        List<double> times = [];
        for (int round = 0; round < rounds; round++)
        {
            long started = Stopwatch.GetTimestamp();
            CommandResult result = await RunAsync(command);
            if (result.ExitCode != 0)
            {
                await SayAsync(result);
                return null;
            }

            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Median(times);
    }

    /// <summary>Measures what a container takes that does nothing, one second after its program has said that it is ready.</summary>
    /// <param name="watch">How long its CPU time is watched.</param>
    /// <param name="command">The program and its arguments; it prints a line and waits.</param>
    /// <returns>Bytes by PSS and CPU time in nanoseconds of all processes it left behind; null when that failed, or natively.</returns>
    public async Task<(double PssBytes, double CpuNs)?> MeasureIdleAsync(TimeSpan watch, params string[] command)
    {
        if (_contestant.Runtime is null)
        {
            return null;
        }

        string id = NewId();
        using Bundle bundle = MakeBundle(command, []);
        string[] start = [_contestant.Runtime, .. Global(), "run", "--detach", "--bundle", bundle.Folder, id];
        string[] arguments = [$"{SettleMs}", string.Create(CultureInfo.InvariantCulture, $"{watch.TotalMilliseconds:F0}"), .. start];
        CommandResult result = await Command.RunAsync(Programs.Idle, arguments, timeout: TimeSpan.FromMinutes(3));
        await Command.RunAsync(_contestant.Runtime, [.. Global(), "delete", "--force", id]);
        string[] parts = result.Output.Trim().Split(' ');
        if (result.ExitCode != 0 || parts.Length != 3)
        {
            await SayAsync(result);
            return null;
        }

        return (double.Parse(parts[1], CultureInfo.InvariantCulture) * 1024, double.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    /// <summary>Tells of a command that failed.</summary>
    /// <param name="result">How it ended.</param>
    /// <returns>A task.</returns>
    public Task SayAsync(CommandResult result) => Console.Error.WriteLineAsync($"{_contestant.Name}: {result}");

    public void Dispose() => Directory.Delete(_state, recursive: true);

    // Files are made in the root itself, through whatever the runtime puts over it; /tmp would be a tmpfs everywhere.
    private Bundle MakeBundle(IReadOnlyList<string> command, string[] environment)
    {
        Bundle bundle = Bundle.Create(_root, command, environment);
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        mounts.Remove(mounts.First(mount => (string?)mount!["destination"] == "/tmp"));
        foreach (JsonNode mount in _mounts)
        {
            mounts.Add(mount.DeepClone());
        }

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
