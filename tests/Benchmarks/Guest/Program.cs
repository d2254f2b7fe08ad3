// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.Json;
using CVisor.Benchmarks.Guest;
using CVisor.Tests.Support;
using Spectre.Console;

// CVisor.Benchmarks.Guest [WORD...]: measures every contestant in turn; with words, only the figures whose names hold one of them.
await Programs.CompileAsync();
IReadOnlyList<Figure> figures = Figure.ReadAll();
Contestant[] contestants = [.. Contestant.Find()];
Dictionary<string, IReadOnlyDictionary<string, double>> values = [];
foreach (Contestant contestant in contestants)
{
    await Console.Error.WriteLineAsync($"== {contestant.Name}");
    using Runner runner = new(contestant);
    values[contestant.Name] = await runner.MeasureAsync(args);
}

string[] names = [.. contestants.Select(c => c.Name).Where(n => values[n].Count > 0)];
Table table = new Table().Border(TableBorder.Markdown).AddColumn("figure").AddColumn("unit");
foreach (string name in names)
{
    table.AddColumn(new TableColumn(name).RightAligned());
}

HashSet<string> ours = [.. contestants.Where(c => c.IsOurs).Select(c => c.Name)];
List<string> alerts = [];
foreach (Figure figure in figures.Where(f => names.Any(n => values[n].ContainsKey(f.Name))))
{
    List<string> cells = [figure.Name, $"{figure.Unit}{(figure.Better == "higher" ? " (more is better)" : "")}"];
    bool hasNative = values[names[0]].TryGetValue(figure.Name, out double native);
    foreach (string name in names)
    {
        string cell = values[name].TryGetValue(figure.Name, out double value) ? value.ToString("G4", CultureInfo.InvariantCulture) : "-";
        bool hasRatio = hasNative && cell != "-" && name != names[0];
        if (ours.Contains(name) && value > 0 && figure.IsAlarming(value, hasNative ? native : null))
        {
            alerts.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: {figure.Name} {cell} {figure.Unit}: more than {figure.Alert:G3}{(hasNative ? " times worse than native" : "")}"));
        }

        cells.Add(hasRatio ? string.Create(CultureInfo.InvariantCulture, $"{cell} (x{figure.TimesWorse(value, native):G3})") : cell);
    }

    table.AddRow([.. cells.Select(cell => new Text(cell))]);
}

AnsiConsole.Profile.Width = 180;
AnsiConsole.Write(table);
string folder = Path.Combine(RepositoryPaths.Out, "bench");
File.WriteAllText(Path.Combine(folder, "figures.svg"), Plot.Draw(figures, names, values));
File.WriteAllText(Path.Combine(folder, "figures.json"), JsonSerializer.Serialize(values));
Console.WriteLine("(xN): times worse than native; the plot is out/bench/figures.svg");
foreach (string alert in alerts)
{
    Console.WriteLine($"ALERT {alert}");
}

return 0;
