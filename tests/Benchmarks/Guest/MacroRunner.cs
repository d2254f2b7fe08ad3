// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>Measures the macro figures of one contestant: programs of this machine at work, each run in a fresh container.</summary>
internal sealed class MacroRunner : IDisposable
{
    private const int Rounds = 3;
    private const int ThreadCount = 2000;

    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(10);

    private readonly Machine _machine;

    public MacroRunner(Contestant contestant, MacroRoot root) => _machine = new Machine(contestant, root.Folder, root.Mounts);

    /// <summary>Measures figures.</summary>
    /// <param name="wanted">The names of those that are asked for.</param>
    /// <returns>The values by figure.</returns>
    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(IReadOnlySet<string> wanted)
    {
        Dictionary<string, double> values = [];
        foreach (MacroJob job in MacroJob.ReadAll().Where(job => job.Figures.Any(wanted.Contains) && job.Needs.All(need => Requirements.Find(need) is not null)))
        {
            foreach ((string name, double median) in await MeasureAsync(job))
            {
                values[name] = median;
            }
        }

        const string Python = "/usr/bin/python3";
        if (wanted.Contains("python_start") && File.Exists(Python) && await _machine.MeasureStartAsync(Rounds, Python, "-c", "pass") is { } start)
        {
            values["python_start"] = start;
        }

        string blocked = _machine.Inside(MacroRoot.BlockedPath);
        if (wanted.Contains("threads_memory") &&
            await _machine.MeasureIdleAsync(TimeSpan.Zero, blocked, "0") is { } none &&
            await _machine.MeasureIdleAsync(TimeSpan.Zero, blocked, $"{ThreadCount}") is { } many)
        {
            values["threads_memory"] = (many.PssBytes - none.PssBytes) / ThreadCount / 1e3;
        }

        if (wanted.Contains("idle_cpu") && await _machine.MeasureIdleAsync(s_watch, blocked, "0") is { } idle)
        {
            values["idle_cpu"] = idle.CpuNs / s_watch.TotalNanoseconds * 100;
        }

        return values.Where(pair => wanted.Contains(pair.Key)).ToDictionary();
    }

    public void Dispose() => _machine.Dispose();

    private async Task<IReadOnlyDictionary<string, double>> MeasureAsync(MacroJob job)
    {
        Dictionary<string, List<double>> values = [];
        string[] environment =
        [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nowhere", "LC_ALL=C", $"INPUT={_machine.Inside(MacroRoot.InputPath)}",
            $"WORK={_machine.Inside(MacroRoot.WorkPath)}", $"ELAPSED={_machine.Inside(MacroRoot.ElapsedPath)}",
        ];
        for (int round = 0; round < Rounds; round++)
        {
            CommandResult result = await _machine.RunAsync(["/bin/sh", "-c", job.Script], environment);
            if (result.ExitCode != 0)
            {
                await _machine.SayAsync(result);
                break;
            }

            foreach ((string name, double value) in Machine.Parse(result.Output))
            {
                (values.TryGetValue(name, out List<double>? list) ? list : values[name] = []).Add(value);
            }
        }

        return values.Where(pair => pair.Value.Count == Rounds).ToDictionary(pair => pair.Key, pair => Machine.Median(pair.Value));
    }
}
