// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>Measures the micro figures of one contestant, in a root that holds nothing but the measuring program.</summary>
internal sealed class MicroRunner : IDisposable
{
    private const int StartRounds = 11;

    private readonly string _root = Directory.CreateTempSubdirectory("cvisor-bench-").FullName;
    private readonly Machine _machine;

    public MicroRunner(Contestant contestant)
    {
        foreach (string folder in (string[])["bench", "proc", "sys", "dev", "tmp"])
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
        }

        File.Copy(Programs.Micro, Path.Combine(_root, "micro"));
        _machine = new Machine(contestant, _root, []);
    }

    /// <summary>Measures figures.</summary>
    /// <param name="wanted">The names of those that are asked for.</param>
    /// <returns>The values by figure.</returns>
    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(IReadOnlySet<string> wanted)
    {
        Dictionary<string, double> values = [];
        string micro = _machine.Inside("/micro");
        string seconds = Environment.GetEnvironmentVariable("BENCH_SECONDS") ?? "0.3";
        CommandResult result = await _machine.RunAsync([micro, .. wanted], $"BENCH_SECONDS={seconds}", $"BENCH_DIR={_machine.Inside("/bench")}");
        foreach ((string name, double value) in Machine.Parse(result.Output).Where(figure => wanted.Contains(figure.Name)))
        {
            values[name] = value;
        }

        if (result.ExitCode != 0)
        {
            await _machine.SayAsync(result);
        }

        if (wanted.Contains("run_true") && await _machine.MeasureStartAsync(StartRounds, micro, "__exit") is { } start)
        {
            values["run_true"] = start;
        }

        if (wanted.Contains("idle_pss") && await _machine.MeasureIdleAsync(TimeSpan.Zero, micro, "__idle") is { } idle)
        {
            values["idle_pss"] = idle.PssBytes / 1e6;
        }

        return values;
    }

    public void Dispose()
    {
        _machine.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
