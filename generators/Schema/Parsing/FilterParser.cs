// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Reads the filters section. It needs the calls, for numbers and argument names, and the flag sets, for values.</summary>
internal sealed class FilterParser
{
    private readonly NodeReader _reader;
    private readonly ConstantTable _constants;
    private readonly Dictionary<string, SyscallRow> _rows = new();
    private readonly HashSet<string> _narrow = new() { "byte", "short", "ushort", "int", "uint" };
    private readonly Dictionary<string, string> _csharp = new();
    private readonly Dictionary<string, List<CallFilter>> _fragments = new();

    private FilterParser(NodeReader reader, SpecSource source)
    {
        _reader = reader;
        _constants = new ConstantTable(source);
        foreach (Placed<SyscallRow> row in source.Rows)
        {
            _rows[row.Model.Name] = row.Model;
        }

        foreach (Placed<TypeSpec> type in source.Types)
        {
            _csharp[type.Model.Name] = type.Model.CSharp;
        }

        foreach (Placed<FlagSet> set in source.Flags)
        {
            _csharp[set.Model.Name] = set.Model.CSharp;
        }
    }

    public static void Parse(SpecFile file, SpecSource source)
    {
        YamlNode? section = file.Section("filters");
        if (section is null)
        {
            return;
        }

        FilterParser parser = new(file.Reader, source);
        foreach (KeyValuePair<YamlScalarNode, YamlNode> role in file.Reader.Entries(section, "filters"))
        {
            RoleFilterSpec? filter = parser.ParseRole(source, role.Key, role.Value);
            if (filter is not null)
            {
                source.Filters.Add(filter);
            }
        }
    }

    // A fragment is kept for the roles after it that include it, and is no role.
    private RoleFilterSpec? ParseRole(SpecSource source, YamlScalarNode key, YamlNode body)
    {
        string role = key.Value!;
        FilterVerdict otherwise = new(FilterAction.KillProcess, "");
        FilterVerdict? foreignCaller = null;
        List<CallFilter> calls = new();
        bool isFragment = false;
        List<KeyValuePair<YamlScalarNode, YamlNode>> entries = _reader.Entries(body, $"filters {role}").ToList();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in entries)
        {
            string what = $"filters {role}: {entry.Key.Value}";
            switch (entry.Key.Value)
            {
                case "fragment":
                    isFragment = _reader.Boolean(entry.Value, what) ?? false;
                    break;
                case "default":
                    otherwise = ParseVerdict(entry.Value, what);
                    break;
                case "foreign_caller":
                    foreignCaller = ParseVerdict(entry.Value, what);
                    break;
                case "include":
                    string included = _reader.Text(entry.Value, what) ?? "";
                    if (!_fragments.TryGetValue(included, out List<CallFilter>? fragment))
                    {
                        _reader.Report(entry.Value, SpecRules.UnknownName, $"{what}: no fragment '{included}' stands before");
                        break;
                    }

                    calls.AddRange(fragment);
                    break;
                case "calls":
                    ParseCalls(source, role, otherwise, entry.Value, calls);
                    break;
                default:
                    _reader.Report(entry.Key, SpecRules.BadRow, $"filters {role}: unknown key '{entry.Key.Value}'");
                    break;
            }
        }

        if (isFragment)
        {
            _fragments[role] = calls;
            return null;
        }

        return new RoleFilterSpec(role, otherwise, foreignCaller, calls.ToEquatableArray());
    }

    private void ParseCalls(SpecSource source, string role, FilterVerdict otherwise, YamlNode node, List<CallFilter> calls)
    {
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in _reader.Entries(node, $"filters {role}: calls"))
        {
            CallFilter? call = ParseCall(role, otherwise, entry.Key, entry.Value);
            if (call is null)
            {
                continue;
            }

            int included = calls.FindIndex(c => c.Name == call.Name);
            if (included < 0)
            {
                calls.Add(call);
                source.CallFilters.Add(new Placed<CallFilter>(call, entry.Key, entry.Value));
                continue;
            }

            // What the fragment allows and what the role allows.
            CallFilter both = calls[included];
            if (both.Alternatives.Count == 0 || call.Alternatives.Count == 0 || both.Match != call.Match)
            {
                _reader.Report(
                    entry.Key, SpecRules.UnreachableRule, $"filters {role}: {call.Name}: the fragment has a rule with another or no condition");
                continue;
            }

            calls[included] = call with { Alternatives = both.Alternatives.Concat(call.Alternatives).ToEquatableArray() };
            source.CallFilters.Add(new Placed<CallFilter>(calls[included], entry.Key, entry.Value));
        }
    }

    private CallFilter? ParseCall(string role, FilterVerdict roleDefault, YamlScalarNode key, YamlNode body)
    {
        string name = key.Value!;
        if (!_rows.TryGetValue(name, out SyscallRow? row) || row.X64 is not int number)
        {
            _reader.Report(key, SpecRules.UnknownName, $"filters {role}: there is no x86_64 call '{name}'");
            return null;
        }

        int reported = _reader.ReportCount;
        string why = "";
        FilterVerdict match = FilterVerdict.Allow;
        FilterVerdict otherwise = roleDefault;
        List<FilterAlternative> alternatives = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> field in _reader.Entries(body, $"filters {role}: {name}"))
        {
            string what = $"filters {role}: {name}: {field.Key.Value}";
            switch (field.Key.Value)
            {
                case "why":
                    why = _reader.Text(field.Value, what) ?? "";
                    break;
                case "answer":
                    match = ParseVerdict(field.Value, what);
                    break;
                case "else":
                    otherwise = ParseVerdict(field.Value, what);
                    break;
                case "when":
                    alternatives = ParseAlternatives(row, field.Value, what);
                    break;
                default:
                    _reader.Report(field.Key, SpecRules.BadRow, $"filters {role}: {name}: unknown key '{field.Key.Value}'");
                    break;
            }
        }

        if (why.Length == 0)
        {
            _reader.Report(key, SpecRules.MissingNote, $"filters {role}: {name}: say why the role makes the call");
        }

        return _reader.ReportCount == reported ? new CallFilter(name, number, why, alternatives.ToEquatableArray(), match, otherwise) : null;
    }

    private FilterVerdict ParseVerdict(YamlNode node, string what)
    {
        string text = _reader.Text(node, what) ?? "";
        switch (text)
        {
            case "allow":
                return FilterVerdict.Allow;
            case "kill_process":
                return new FilterVerdict(FilterAction.KillProcess, "");
            case "trap":
                return new FilterVerdict(FilterAction.Trap, "");
            default:
                // The errno's value is the C# enum's; a name that is none is the compiler's to report.
                if (text.Length < 2 || text[0] != 'E' || !text.All(c => char.IsLetterOrDigit(c)))
                {
                    _reader.Report(node, SpecRules.BadRow, $"{what}: '{text}' is not allow, trap, kill_process or an errno");
                }

                return new FilterVerdict(FilterAction.Errno, text);
        }
    }

    private List<FilterAlternative> ParseAlternatives(SyscallRow row, YamlNode node, string what)
    {
        IEnumerable<YamlNode> items = node is YamlMappingNode ? new[] { node } : _reader.Items(node, what);
        List<FilterAlternative> alternatives = new();
        foreach (YamlNode item in items)
        {
            List<FilterCondition> conditions = new();
            foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in _reader.Entries(item, what))
            {
                int index = row.Args.ToList().FindIndex(a => a.Name == entry.Key.Value);
                if (index < 0)
                {
                    _reader.Report(entry.Key, SpecRules.UnknownName, $"{what}: {row.Name} has no argument '{entry.Key.Value}'");
                    continue;
                }

                FilterCondition? condition = ParseCondition(row.Args[index], index, entry.Value, $"{what}: {entry.Key.Value}");
                if (condition is not null)
                {
                    conditions.Add(condition);
                }
            }

            if (conditions.Count == 0)
            {
                _reader.Report(item, SpecRules.UnreachableRule, $"{what}: an alternative without conditions always holds");
            }

            alternatives.Add(new FilterAlternative(conditions.ToEquatableArray()));
        }

        return alternatives;
    }

    private FilterCondition? ParseCondition(ArgSpec arg, int index, YamlNode node, string what)
    {
        bool wide = arg.Direction != PointerDirection.None || !_csharp.TryGetValue(arg.Type, out string? type) || !_narrow.Contains(type);
        ulong width = wide ? ulong.MaxValue : uint.MaxValue;
        FilterCondition Condition(FilterTest test, ulong mask, IEnumerable<ulong> values)
            => new(index, arg.Name, wide, test, mask & width, values.Select(v => v & width).ToEquatableArray());

        if (node is YamlScalarNode { Value: "$pid" })
        {
            if (wide)
            {
                _reader.Report(node, SpecRules.BadRow, $"{what}: $pid is a 32-bit value");
                return null;
            }

            return Condition(FilterTest.OwnPid, ulong.MaxValue, new ulong[] { 0 });
        }

        if (node is not YamlMappingNode mapping)
        {
            List<ulong>? values = Values(node, what);
            return values is null ? null : Condition(FilterTest.OneOf, ulong.MaxValue, values);
        }

        Dictionary<string, YamlNode> parts = _reader.Entries(mapping, what).ToDictionary(e => e.Key.Value!, e => e.Value);
        string form = string.Join(" ", parts.Keys.OrderBy(k => k, System.StringComparer.Ordinal));
        switch (form)
        {
            case "not":
                List<ulong>? refused = Values(parts["not"], what);
                return refused is null ? null : Condition(FilterTest.NoneOf, ulong.MaxValue, refused);
            case "max":
                ulong? max = _constants.Evaluate(_reader, parts["max"], what);
                return max is null ? null : Condition(FilterTest.AtMost, ulong.MaxValue, new[] { max.Value });
            case "only":
                ulong? only = _constants.Evaluate(_reader, parts["only"], what);
                return only is null ? null : Condition(FilterTest.Masked, ~only.Value, new ulong[] { 0 });
            case "equals mask":
                ulong? mask = _constants.Evaluate(_reader, parts["mask"], what);
                ulong? equals = _constants.Evaluate(_reader, parts["equals"], what);
                if ((equals & ~mask & width) is not null and not 0)
                {
                    _reader.Report(node, SpecRules.UnreachableRule, $"{what}: the value has bits outside the mask, so it never matches");
                }

                return mask is null || equals is null ? null : Condition(FilterTest.Masked, mask.Value, new[] { equals.Value });
            default:
                _reader.Report(node, SpecRules.BadRow, $"{what}: a condition is a value, a list, {{not}}, {{max}}, {{only}} or {{mask, equals}}");
                return null;
        }
    }

    private List<ulong>? Values(YamlNode node, string what)
    {
        IEnumerable<YamlNode> nodes = node is YamlSequenceNode sequence ? sequence.Children : new[] { node };
        List<ulong?> values = nodes.Select(n => _constants.Evaluate(_reader, n, what)).ToList();
        return values.Any(v => v is null) ? null : values.Select(v => v!.Value).ToList();
    }
}
