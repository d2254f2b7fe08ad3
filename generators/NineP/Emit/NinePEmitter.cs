// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Scriban;
using Scriban.Runtime;

namespace CVisor.Generators.NineP;

/// <summary>Shapes the model into C#: one file for the limits, one for the message types, one for dispatch, one for each struct and each message.</summary>
internal static class NinePEmitter
{
    private static readonly Lazy<Template> s_limits = Load("NineP.Limits.sbn");
    private static readonly Lazy<Template> s_types = Load("NineP.MessageType.sbn");
    private static readonly Lazy<Template> s_dispatch = Load("NineP.Dispatch.sbn");
    private static readonly Lazy<Template> s_struct = Load("NineP.Struct.sbn");
    private static readonly Lazy<Template> s_message = Load("NineP.Message.sbn");
    private static readonly Lazy<Template> s_samples = Load("NineP.Samples.sbn");

    /// <summary>Every generated file, in a fixed order.</summary>
    internal static IEnumerable<(string Hint, string Text)> Emit(NinePModel model)
    {
        Dictionary<string, StructModel> structs = model.Structs.ToDictionary(s => s.Name, StringComparer.Ordinal);
        ScriptObject root = new()
        {
            ["version"] = model.Version,
            ["limits"] = Array(model.Limits.Select(l => new ScriptObject { ["name"] = l.Name, ["value"] = l.Value.ToString(CultureInfo.InvariantCulture), ["why"] = Xml(l.Why) })),
            ["messages"] = Array(model.Messages.Select(m => Message(m, structs))),
        };
        yield return ("NineP.Limits.g.cs", Render(s_limits, root));
        yield return ("NineP.MessageType.g.cs", Render(s_types, root));
        yield return ("NineP.Dispatch.g.cs", Render(s_dispatch, root));
        foreach (StructModel one in model.Structs)
        {
            yield return ($"NineP.Struct.{Pascal(one.Name)}.g.cs", Render(s_struct, Struct(one, structs)));
        }

        foreach (MessageModel one in model.Messages)
        {
            yield return ($"NineP.{Pascal(one.Name)}.g.cs", Render(s_message, Message(one, structs)));
        }
    }

    /// <summary>The file that tests and fuzzers ask for.</summary>
    internal static (string Hint, string Text) EmitSamples(NinePModel model)
    {
        Dictionary<string, StructModel> structs = model.Structs.ToDictionary(s => s.Name, StringComparer.Ordinal);
        ScriptObject root = new()
        {
            ["structs"] = Array(model.Structs.Select(s => Struct(s, structs))),
            ["messages"] = Array(model.Messages.Select(m => Message(m, structs))),
        };
        return ("NineP.Samples.g.cs", Render(s_samples, root));
    }

    private static ScriptObject Struct(StructModel model, Dictionary<string, StructModel> structs) => new()
    {
        ["row"] = "ninep.structs." + model.Name,
        ["name"] = Pascal(model.Name),
        ["doc"] = Xml(model.Doc),
        ["fixed_size"] = model.FixedSize,
        ["fields"] = Array(model.Fields.Select(f => Field(f, structs))),
        ["size"] = Size(model.Fields, structs),
    };

    private static ScriptObject Message(MessageModel model, Dictionary<string, StructModel> structs)
    {
        List<ScriptObject> sides = [];
        if (model.HasRequest)
        {
            sides.Add(Side(model, "Request", model.Request, 'T', model.Id, 0, structs));
        }

        sides.Add(Side(model, "Reply", model.Reply, 'R', model.Id + 1, model.Fds, structs));
        return new ScriptObject
        {
            ["row"] = "ninep.messages." + model.Name,
            ["name"] = Pascal(model.Name),
            ["id"] = model.Id,
            ["doc"] = Xml(model.Doc),
            ["extension"] = Xml(model.Extension),
            ["has_request"] = model.HasRequest,
            ["sides"] = Array(sides),
        };
    }

    private static ScriptObject Side(
        MessageModel model, string suffix, ModelList<FieldModel> fields, char letter, int id, int fds, Dictionary<string, StructModel> structs)
    {
        FieldModel? last = fields.Count > 0 ? fields[fields.Count - 1] : null;
        List<FieldModel> before = fields.Take(Math.Max(fields.Count - 1, 0)).ToList();
        bool payload = last is { Type.Kind: WireKind.Data or WireKind.Packed } && before.All(f => FixedSizeOf(f.Type, structs) > 0);
        return new ScriptObject
        {
            ["name"] = Pascal(model.Name) + suffix,
            ["type"] = letter + Pascal(model.Name),
            ["id"] = id,
            ["fds"] = fds,
            ["is_ref"] = fields.Any(f => IsSpan(f.Type, structs)),
            ["fields"] = Array(fields.Select(f => Field(f, structs))),
            ["size"] = Size(fields, structs),
            ["payload"] = payload,
            ["payload_name"] = last is null ? "" : Pascal(last.Name),
            ["payload_offset"] = payload ? 11 + before.Sum(f => FixedSizeOf(f.Type, structs)) : 0,
            ["prefix_fields"] = Array(before.Select(f => Field(f, structs))),
        };
    }

    private static ScriptObject Field(FieldModel field, Dictionary<string, StructModel> structs)
    {
        string name = Pascal(field.Name);
        string of = Pascal(field.Type.StructName);
        string limit = "NinePLimits." + field.Type.Limit;
        (string type, string read, string write) = field.Type.Kind switch
        {
            WireKind.U8 => ("byte", "reader.U8()", $"writer.U8({name})"),
            WireKind.U16 => ("ushort", "reader.U16()", $"writer.U16({name})"),
            WireKind.U32 => ("uint", "reader.U32()", $"writer.U32({name})"),
            WireKind.U64 => ("ulong", "reader.U64()", $"writer.U64({name})"),
            WireKind.I64 => ("long", "reader.I64()", $"writer.I64({name})"),
            WireKind.Struct => (of, $"{of}.Read(ref reader)", $"{name}.Write(ref writer)"),
            WireKind.String => ("global::System.ReadOnlySpan<byte>", $"reader.String({limit})", $"writer.String({name})"),
            WireKind.Data => ("global::System.ReadOnlySpan<byte>", $"reader.Data({limit})", $"writer.Data({name})"),
            WireKind.ListU32 => ("U32List", $"U32List.Read(ref reader, {limit})", $"{name}.Write(ref writer)"),
            WireKind.ListString => ("StringList", $"StringList.Read(ref reader, {limit}, NinePLimits.{field.Type.ElementLimit})", $"{name}.Write(ref writer)"),
            WireKind.ListStruct => (of + "List", $"{of}List.Read(ref reader, {limit})", $"{name}.Write(ref writer)"),
            WireKind.Packed => (of + "Pack", $"{of}Pack.Read(ref reader, {limit})", $"{name}.Write(ref writer)"),
            _ => throw new InvalidOperationException(field.Type.Kind.ToString()),
        };
        return new ScriptObject
        {
            ["name"] = name,
            ["camel"] = char.ToLowerInvariant(name[0]) + name.Substring(1),
            ["type"] = type,
            ["read"] = read,
            ["write"] = write,
            ["write_camel"] = write.Replace("(" + name + ")", "(" + char.ToLowerInvariant(name[0]) + name.Substring(1) + ")")
                .Replace(name + ".Write(ref writer)", char.ToLowerInvariant(name[0]) + name.Substring(1) + ".Write(ref writer)"),
            ["doc"] = Xml(field.Doc),
            ["sample"] = Sample(field.Type),
        };
    }

    private static string Sample(WireType type)
    {
        string of = Pascal(type.StructName);
        return type.Kind switch
        {
            WireKind.U8 => "writer.U8((byte)random.Next(256))",
            WireKind.U16 => "writer.U16((ushort)random.Next(65536))",
            WireKind.U32 => "writer.U32(unchecked((uint)random.NextInt64()))",
            WireKind.U64 or WireKind.I64 => "writer.U64(unchecked((ulong)random.NextInt64() * 3))",
            WireKind.Struct => $"Write{of}(random, ref writer)",
            WireKind.String => $"WriteString(random, ref writer, NinePLimits.{type.Limit})",
            WireKind.Data => $"WriteData(random, ref writer, NinePLimits.{type.Limit})",
            WireKind.ListU32 => $"WriteList(random, ref writer, NinePLimits.{type.Limit}, static (global::System.Random r, ref WireWriter w) => w.U32(unchecked((uint)r.NextInt64())))",
            WireKind.ListString => $"WriteList(random, ref writer, NinePLimits.{type.Limit}, static (global::System.Random r, ref WireWriter w) => WriteString(r, ref w, NinePLimits.{type.ElementLimit}))",
            WireKind.ListStruct => $"WriteList(random, ref writer, NinePLimits.{type.Limit}, Write{of})",
            WireKind.Packed => $"WritePacked(random, ref writer, NinePLimits.{type.Limit}, Write{of})",
            _ => throw new InvalidOperationException(type.Kind.ToString()),
        };
    }

    private static bool IsSpan(WireType type, Dictionary<string, StructModel> structs) =>
        type.Kind > WireKind.Struct || (type.Kind == WireKind.Struct && structs[type.StructName].FixedSize < 0);

    private static int FixedSizeOf(WireType type, Dictionary<string, StructModel> structs) => type.Kind switch
    {
        WireKind.U8 => 1,
        WireKind.U16 => 2,
        WireKind.U32 => 4,
        WireKind.U64 or WireKind.I64 => 8,
        WireKind.Struct => structs[type.StructName].FixedSize,
        _ => -1,
    };

    // The size in bytes as a C# expression: the fixed part as one number, then the variable parts.
    private static string Size(ModelList<FieldModel> fields, Dictionary<string, StructModel> structs)
    {
        int constant = 0;
        StringBuilder rest = new();
        foreach (FieldModel field in fields)
        {
            int size = FixedSizeOf(field.Type, structs);
            if (size > 0)
            {
                constant += size;
                continue;
            }

            constant += field.Type.Kind switch { WireKind.String => 2, WireKind.Data => 4, _ => 0 };
            rest.Append(" + ").Append(Pascal(field.Name)).Append(field.Type.Kind is WireKind.String or WireKind.Data ? ".Length" : ".WireLength");
        }

        return constant.ToString(CultureInfo.InvariantCulture) + rest;
    }

    private static ScriptArray Array(IEnumerable<ScriptObject> items) => [.. items];

    private static string Pascal(string name) =>
        string.Concat(name.Split('_').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part.Substring(1)));

    private static string Xml(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");

    private static Lazy<Template> Load(string name) => new(() =>
    {
        using Stream stream = typeof(NinePEmitter).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException("no template " + name);
        using StreamReader reader = new(stream, Encoding.UTF8);
        Template template = Template.Parse(reader.ReadToEnd(), name);
        return template.HasErrors ? throw new InvalidOperationException(string.Join("\n", template.Messages)) : template;
    });

    private static string Render(Lazy<Template> template, ScriptObject model)
    {
        TemplateContext context = new() { NewLine = "\n", StrictVariables = true, LoopLimit = 0 };
        context.PushCulture(CultureInfo.InvariantCulture);
        context.PushGlobal(model);
        return template.Value.Render(context).Replace("\r\n", "\n");
    }
}
