// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Reads the types section.</summary>
internal static class TypeParser
{
    /// <summary>The C# types a scalar may have; "ptr" is a guest address.</summary>
    public static readonly string[] CSharpTypes = { "byte", "short", "ushort", "int", "uint", "long", "ulong", "ptr" };

    /// <summary>The formats the trace runtime knows: of registers and of memory.</summary>
    public static readonly string[] Formats =
    {
        "dec", "hex", "oct", "dev", "dirfd", "fd", "id", "wait_status", "path", "ptr", "string", "sig_handler", "sigset_value", "rlimit",
        "bytes", "fdset", "iovec", "mmsghdr", "msghdr", "siginfo", "sigset", "sockaddr", "string_vector", "utsname",
    };

    public static void Parse(SpecFile file, SpecSource source)
    {
        YamlNode? section = file.Section("types");
        if (section is null)
        {
            return;
        }

        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in file.Reader.Entries(section, "types"))
        {
            TypeSpec? type = ParseType(file.Reader, source, entry.Key, entry.Value);
            if (type is not null)
            {
                source.Types.Add(new Placed<TypeSpec>(type, entry.Key, entry.Value));
            }
        }
    }

    private static TypeSpec? ParseType(NodeReader reader, SpecSource source, YamlScalarNode key, YamlNode body)
    {
        string name = key.Value!;
        int reported = reader.ReportCount;
        string csharp = "";
        string format = "";
        bool packed = false;
        List<FieldSpec> fields = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> field in reader.Entries(body, $"type {name}"))
        {
            string what = $"type {name}: {field.Key.Value}";
            switch (field.Key.Value)
            {
                case "csharp":
                    csharp = OneOf(reader, field.Value, what, CSharpTypes);
                    break;
                case "format":
                    format = OneOf(reader, field.Value, what, Formats);
                    break;
                case "packed":
                    packed = reader.Boolean(field.Value, what) ?? false;
                    break;
                case "fields":
                    fields = ParseFields(reader, source, name, field.Value);
                    break;
                default:
                    reader.Report(field.Key, SpecRules.BadRow, $"type {name}: unknown key '{field.Key.Value}'");
                    break;
            }
        }

        if (reader.ReportCount != reported)
        {
            return null;
        }

        if ((fields.Count == 0) == (format.Length == 0))
        {
            reader.Report(key, SpecRules.BadRow, $"type {name}: either a format or fields");
            return null;
        }

        return new TypeSpec(name, csharp, format, packed, fields.ToEquatableArray());
    }

    private static List<FieldSpec> ParseFields(NodeReader reader, SpecSource source, string type, YamlNode node)
    {
        List<FieldSpec> fields = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in reader.Entries(node, $"type {type}: fields"))
        {
            string? text = reader.Text(entry.Value, $"type {type}: {entry.Key.Value}");
            if (text is null)
            {
                continue;
            }

            if (NodeReader.TryParseNumber(text, out ulong padding) && padding <= 4096)
            {
                fields.Add(new FieldSpec(entry.Key.Value!, "", (int)padding));
                continue;
            }

            fields.Add(new FieldSpec(entry.Key.Value!, text, 0));
            source.Uses.Add(new TypeUse(text, entry.Value, $"type {type}", InMemory: true));
        }

        return fields;
    }

    /// <summary>A text that is one of <paramref name="allowed"/>, or empty after a report.</summary>
    internal static string OneOf(NodeReader reader, YamlNode node, string what, string[] allowed)
    {
        string? text = reader.Text(node, what);
        if (text is null)
        {
            return "";
        }

        if (!allowed.Contains(text))
        {
            reader.Report(node, SpecRules.BadRow, $"{what}: '{text}' is not one of {string.Join(", ", allowed)}");
            return "";
        }

        return text;
    }
}
