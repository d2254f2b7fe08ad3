// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.Json;
using CVisor.Benchmarks.Guest;
using CVisor.Tests.Support;
using Spectre.Console;

// CVisor.Benchmarks.Guest [WORD...]: measures every contestant in turn. Without words the micro figures; with words, those figures whose
// kind is one ("macro") or whose names hold one of them.
await Programs.CompileAsync();
IReadOnlyList<Figure> figures = Figure.ReadAll();
HashSet<string> wantedMicro = [.. figures.Where(f => f.Kind == Figure.Micro && f.IsWanted(args)).Select(f => f.Name)];
HashSet<string> wantedMacro = [.. figures.Where(f => f.Kind == Figure.Macro && f.IsWanted(args)).Select(f => f.Name)];
Contestant[] contestants = [.. Contestant.Find()];
Dictionary<string, IReadOnlyDictionary<string, double>> values = [];
using MacroRoot? macroRoot = wantedMacro.Count > 0 ? await MacroRoot.CreateAsync() : null;
foreach (Contestant contestant in contestants)
{
    await Console.Error.WriteLineAsync($"== {contestant.Name}");
    Dictionary<string, double> own = [];
    if (wantedMicro.Count > 0)
    {
        using MicroRunner runner = new(contestant);
        own = new Dictionary<string, double>(await runner.MeasureAsync(wantedMicro));
    }

    if (macroRoot is not null)
    {
        using MacroRunner runner = new(contestant, macroRoot);
        own = own.Concat(await runner.MeasureAsync(wantedMacro)).ToDictionary();
    }

    values[contestant.Name] = own;
}

string[] names = [contestants[0].Name, .. contestants.Skip(1).Select(c => c.Name).Where(n => values[n].Count > 0)];
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
foreach (string line in Comparison.Lines(figures, contestants, values))
{
    Console.WriteLine(line);
}

foreach (string alert in alerts)
{
    Console.WriteLine($"ALERT {alert}");
}

return 0;
