// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Reads the syscalls section.</summary>
internal static class SyscallParser
{
    /// <summary>A register call has six arguments at most.</summary>
    private const int MaxArgs = 6;

    /// <summary>A bound that only catches slips: Linux is far below it.</summary>
    private const int MaxNumber = 4095;

    private static readonly string[] s_restarts = { "sys", "nointr", "nohand", "block" };

    public static void Parse(SpecFile file, SpecSource source)
    {
        YamlNode? section = file.Section("syscalls");
        if (section is null)
        {
            return;
        }

        foreach (KeyValuePair<YamlScalarNode, YamlNode> family in file.Reader.Entries(section, "syscalls"))
        {
            List<SyscallRow> rows = new();
            foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in file.Reader.Entries(family.Value, $"family {family.Key.Value}"))
            {
                SyscallRow? row = ParseRow(file.Reader, source, family.Key.Value!, entry.Key, entry.Value);
                if (row is not null)
                {
                    rows.Add(row);
                    source.Rows.Add(new Placed<SyscallRow>(row, entry.Key, entry.Value));
                }
            }

            source.Families.Add(new SyscallFamily(family.Key.Value!, rows.ToEquatableArray()));
        }
    }

    private static SyscallRow? ParseRow(NodeReader reader, SpecSource source, string family, YamlScalarNode key, YamlNode body)
    {
        string name = key.Value!;
        int reported = reader.ReportCount;
        int? x64 = null;
        int? arm64 = null;
        List<ArgSpec> args = new();
        List<ArgSpec> armArgs = new();
        SupportLevel? support = null;
        string note = "";
        string errno = "ENOSYS";
        bool blocks = false;
        string restart = "";
        bool isStanding = false;

        foreach (KeyValuePair<YamlScalarNode, YamlNode> field in reader.Entries(body, $"call {name}"))
        {
            string what = $"{name}: {field.Key.Value}";
            switch (field.Key.Value)
            {
                case "x86_64":
                    x64 = reader.SmallNumber(field.Value, what, MaxNumber);
                    break;
                case "aarch64":
                    arm64 = reader.SmallNumber(field.Value, what, MaxNumber);
                    break;
                case "args":
                    args = ParseArgs(reader, source, name, field.Value);
                    break;
                case "aarch64_args":
                    armArgs = ParseArgs(reader, source, name, field.Value);
                    break;
                case "support":
                    support = ParseSupport(reader, field.Value, what);
                    break;
                case "note":
                    note = reader.Text(field.Value, what) ?? "";
                    break;
                case "errno":
                    errno = reader.Text(field.Value, what) ?? errno;
                    break;
                case "blocks":
                    blocks = reader.Boolean(field.Value, what) ?? false;
                    break;
                case "restart":
                    restart = reader.Text(field.Value, what) ?? "";
                    if (!s_restarts.Contains(restart))
                    {
                        reader.Report(field.Value, SpecRules.BadRow, $"{what}: '{restart}' is not one of {string.Join(", ", s_restarts)}");
                    }

                    break;
                case "answer":
                    isStanding = reader.Text(field.Value, what) == "standing";
                    if (!isStanding)
                    {
                        reader.Report(field.Value, SpecRules.BadRow, $"{what}: the only kind of answer is 'standing'");
                    }

                    break;
                default:
                    reader.Report(field.Key, SpecRules.BadRow, $"{name}: unknown key '{field.Key.Value}'");
                    break;
            }
        }

        if (reader.ReportCount != reported)
        {
            return null;
        }

        if (support is null)
        {
            reader.Report(key, SpecRules.BadRow, $"{name}: support is missing");
            return null;
        }

        if (x64 is null && arm64 is null)
        {
            reader.Report(key, SpecRules.BadRow, $"{name}: a number for x86_64 or aarch64 is missing");
            return null;
        }

        return new SyscallRow(
            name, family, x64, arm64, args.ToEquatableArray(), armArgs.ToEquatableArray(), support.Value, note, errno, blocks, restart, isStanding);
    }

    private static SupportLevel? ParseSupport(NodeReader reader, YamlNode node, string what)
    {
        switch (reader.Text(node, what))
        {
            case "none":
                return SupportLevel.None;
            case "partial":
                return SupportLevel.Partial;
            case "full":
                return SupportLevel.Full;
            case string text:
                reader.Report(node, SpecRules.BadRow, $"{what}: '{text}' is not one of none, partial, full");
                return null;
            default:
                return null;
        }
    }

    private static List<ArgSpec> ParseArgs(NodeReader reader, SpecSource source, string row, YamlNode node)
    {
        List<ArgSpec> args = new();
        foreach (KeyValuePair<YamlScalarNode, YamlNode> entry in reader.Entries(node, $"{row}: args"))
        {
            ArgSpec? arg = ParseArg(reader, row, entry.Key.Value!, entry.Value);
            if (arg is null)
            {
                continue;
            }

            args.Add(arg);
            source.Uses.Add(new TypeUse(arg.Type, entry.Value, row, arg.Direction != PointerDirection.None));
        }

        if (args.Count > MaxArgs)
        {
            reader.Report(node, SpecRules.BadRow, $"{row}: {args.Count} arguments, a call has {MaxArgs} at most");
        }

        foreach (ArgSpec arg in args)
        {
            bool known = arg.Count.Length == 0 || arg.Count == "ret" || NodeReader.TryParseNumber(arg.Count, out _)
                || args.Any(a => a.Name == arg.Count);
            if (!known)
            {
                reader.Report(node, SpecRules.UnknownName, $"{row}: {arg.Name} counts by '{arg.Count}', which is no argument");
            }
        }

        return args;
    }

    private static ArgSpec? ParseArg(NodeReader reader, string row, string name, YamlNode node)
    {
        string? text = reader.Text(node, $"{row}: {name}");
        if (text is null)
        {
            return null;
        }

        int open = text.IndexOf('<');
        if (open < 0)
        {
            return new ArgSpec(name, text, PointerDirection.None, "");
        }

        PointerDirection direction = text.Substring(0, open) switch
        {
            "in" => PointerDirection.In,
            "out" => PointerDirection.Out,
            "inout" => PointerDirection.InOut,
            _ => PointerDirection.None,
        };
        if (direction == PointerDirection.None || !text.EndsWith(">", StringComparison.Ordinal))
        {
            reader.Report(node, SpecRules.BadRow, $"{row}: {name}: '{text}' is not in<T>, out<T> or inout<T>");
            return null;
        }

        string[] parts = text.Substring(open + 1, text.Length - open - 2).Split('*');
        return new ArgSpec(name, parts[0], direction, parts.Length > 1 ? parts[1] : "");
    }
}
