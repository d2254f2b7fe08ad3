// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;

namespace CVisor.Generators.Tests.Driver;

/// <summary>The table of the repository's own calls, read back from the generated text and held against the lines of syscalls.yaml.</summary>
/// <remarks>Both are read as text here, so that a mistake of the generators' reader shows.</remarks>
public sealed partial class DispatchTableTests
{
    private static readonly string s_table = new GeneratorRun(RepositorySpec.Text, "Dispatch").Source("Dispatch");

    private static readonly Row[] s_rows = [.. Rows()];

    [GeneratedRegex(@"^    (?<name>\w+): +\{x86_64: (?<number>\d+),(?:.*\bargs: \{(?<args>[^}]*)\})?.*\bsupport: (?<support>full|partial|none)\b")]
    private static partial Regex RowLine();

    [GeneratedRegex(@"case (?<number>\d+):\n +(?:result =|return) global::CVisor\.Syscalls\.Handlers\.(?<handler>\w+)\(task(?<args>.*)\);\n")]
    private static partial Regex Case();

    [GeneratedRegex(@"case (?<number>\d+): // (?<name>\w+)\n")]
    private static partial Regex Refused();

    [GeneratedRegex(@"\bargs\.A(\d)\b")]
    private static partial Regex Register();

    [Fact]
    public void Every_implemented_row_and_nothing_else_leads_to_its_handler()
    {
        s_rows.Length.ShouldBeGreaterThan(300);
        Case().Matches(s_table).Select(static m => $"{m.Groups["number"].Value} {m.Groups["handler"].Value}")
            .ShouldBe(s_rows.Where(static r => r.IsImplemented).Select(static r => $"{r.Number} {Pascal(r.Name)}"), ignoreOrder: true);
    }

    [Fact]
    public void Every_other_row_is_refused()
        => Refused().Matches(s_table).Select(static m => $"{m.Groups["number"].Value} {m.Groups["name"].Value}")
            .ShouldBe(s_rows.Where(static r => !r.IsImplemented).Select(static r => $"{r.Number} {r.Name}"), ignoreOrder: true);

    [Fact]
    public void A_handler_gets_the_registers_in_their_order_one_an_argument()
    {
        Dictionary<int, int> wanted = s_rows.Where(static r => r.IsImplemented).ToDictionary(static r => r.Number, static r => r.Arguments);
        foreach (Match match in Case().Matches(s_table))
        {
            int number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
            Register().Matches(match.Groups["args"].Value).Select(static r => r.Groups[1].Value)
                .ShouldBe(Enumerable.Range(0, wanted[number]).Select(static i => $"{i}"), match.Value);
        }
    }

    private static IEnumerable<Row> Rows()
    {
        bool isInside = false;
        foreach (string line in RepositorySpec.Text.Split('\n'))
        {
            if (line.Length > 0 && line[0] is not (' ' or '#'))
            {
                isInside = line.StartsWith("syscalls:", StringComparison.Ordinal);
            }

            if (isInside && RowLine().Match(line) is { Success: true } row)
            {
                string arguments = row.Groups["args"].Value;
                yield return new Row(
                    int.Parse(row.Groups["number"].ValueSpan, CultureInfo.InvariantCulture),
                    row.Groups["name"].Value,
                    arguments.Length == 0 ? 0 : arguments.Split(',').Length,
                    row.Groups["support"].Value != "none");
            }
        }
    }

    private static string Pascal(string name) =>
        string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(static w => char.ToUpperInvariant(w[0]) + w[1..]));

    private sealed record Row(int Number, string Name, int Arguments, bool IsImplemented);
}
