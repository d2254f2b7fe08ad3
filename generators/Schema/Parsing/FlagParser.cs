// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Reads the flags section.</summary>
internal static class FlagParser
{
    private static readonly string[] s_formats = { "hex", "oct" };

    public static void Parse(SpecFile file, SpecSource source)
    {
        YamlNode? section = file.Section("flags");
        if (section is null)
        {
            return;
        }

        // A set may be like one that stands after it: take those that are like none first.
        List<KeyValuePair<YamlScalarNode, YamlNode>> entries = file.Reader.Entries(section, "flags").ToList();
        Dictionary<string, FlagSet> done = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in entries.OrderBy(e => Like(e.Value) is null ? 0 : 1))
        {
            FlagSet? set = ParseSet(file.Reader, source, done, entry.Key, entry.Value);
            if (set is not null)
            {
                done[set.Name] = set;
                source.Flags.Add(new Placed<FlagSet>(set, entry.Key, entry.Value));
            }
        }

        source.Flags.Sort((a, b) => string.CompareOrdinal(a.Model.Name, b.Model.Name));
    }

    private static YamlNode? Like(YamlNode body)
        => body is YamlMappingNode mapping && mapping.Children.TryGetValue(new YamlScalarNode("like"), out YamlNode? like) ? like : null;

    private static FlagSet? ParseSet(
        NodeReader reader, SpecSource source, Dictionary<string, FlagSet> done, YamlScalarNode key, YamlNode body)
    {
        string name = key.Value!;
        int reported = reader.ReportCount;
        string type = "";
        string format = "hex";
        string zero = "";
        ulong mask = ulong.MaxValue;
        FlagSet? like = null;
        List<NamedValue> values = new();
        List<NamedValue> bits = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> field in reader.Entries(body, $"flags {name}"))
        {
            string what = $"flags {name}: {field.Key.Value}";
            switch (field.Key.Value)
            {
                case "type":
                    type = TypeParser.OneOf(reader, field.Value, what, TypeParser.CSharpTypes);
                    break;
                case "format":
                    format = TypeParser.OneOf(reader, field.Value, what, s_formats);
                    break;
                case "zero":
                    zero = reader.Text(field.Value, what) ?? "";
                    break;
                case "mask":
                    mask = reader.Number(field.Value, what) ?? mask;
                    break;
                case "enum":
                    values = ParseValues(reader, what, field.Value);
                    break;
                case "bits":
                    bits = ParseValues(reader, what, field.Value);
                    break;
                case "like":
                    string? other = reader.Text(field.Value, what);
                    if (other is not null && !done.TryGetValue(other, out like))
                    {
                        reader.Report(field.Value, SpecRules.UnknownName, $"{what}: no flag set '{other}' with values of its own");
                    }

                    if (other is not null)
                    {
                        source.Uses.Add(new TypeUse(other, field.Value, $"flags {name}", InMemory: true));
                    }

                    break;
                default:
                    reader.Report(field.Key, SpecRules.BadRow, $"flags {name}: unknown key '{field.Key.Value}'");
                    break;
            }
        }

        if (reader.ReportCount != reported)
        {
            return null;
        }

        if (type.Length == 0)
        {
            reader.Report(key, SpecRules.BadRow, $"flags {name}: type is missing");
            return null;
        }

        IEnumerable<NamedValue> allValues = values.Count == 0 && like is not null ? like.Enum : values;
        IEnumerable<NamedValue> allBits = bits.Count == 0 && like is not null ? like.Bits : bits;
        ulong width = Width(type);
        return new FlagSet(name, type, format, mask & width, Narrow(allValues, width), Narrow(allBits, width), zero);
    }

    private static List<NamedValue> ParseValues(NodeReader reader, string what, YamlNode node)
    {
        List<NamedValue> values = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in reader.Entries(node, what))
        {
            ulong? value = reader.Number(entry.Value, $"{what}: {entry.Key.Value}");
            if (value is not null)
            {
                values.Add(new NamedValue(entry.Key.Value!, value.Value));
            }
        }

        return values;
    }

    private static EquatableArray<NamedValue> Narrow(IEnumerable<NamedValue> values, ulong width)
        => values.Select(v => v with { Value = v.Value & width }).ToEquatableArray();

    private static ulong Width(string type) => type switch
    {
        "byte" => 0xff,
        "short" or "ushort" => 0xffff,
        "int" or "uint" => 0xffff_ffff,
        _ => ulong.MaxValue,
    };
}
