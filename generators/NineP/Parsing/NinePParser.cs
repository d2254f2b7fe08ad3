// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CVisor.Generators.NineP;

/// <summary>Reads the <c>ninep</c> section of syscalls.yaml; every fault is told with its line and column.</summary>
internal sealed class NinePParser
{
    private readonly List<NinePFault> _faults = [];
    private readonly Dictionary<string, LimitModel> _limits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StructModel> _structs = new(StringComparer.Ordinal);

    private NinePParser()
    {
    }

    /// <summary>Parses the text of syscalls.yaml.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="path">Its path, for diagnostics.</param>
    internal static NinePParse Parse(string text, string path)
    {
        NinePParser parser = new();
        NinePModel? model = null;
        try
        {
            YamlStream stream = [];
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root)
            {
                YamlNode? section = Find(root, "ninep");
                if (section is null)
                {
                    parser.Fault(root, "there is no 'ninep' section");
                }
                else
                {
                    model = parser.Section(section);
                }
            }
            else
            {
                parser._faults.Add(new NinePFault("the file must hold one YAML mapping", 0, 0));
            }
        }
        catch (YamlException e)
        {
            parser._faults.Add(new NinePFault(e.InnerException?.Message ?? e.Message, (int)e.Start.Line - 1, (int)e.Start.Column - 1));
        }

        return new NinePParse(parser._faults.Count == 0 ? model : null, new ModelList<NinePFault>(parser._faults), path);
    }

    private NinePModel Section(YamlNode node)
    {
        YamlMappingNode section = Mapping(node, "version", "limits", "structs", "messages");
        List<LimitModel> limits = [];
        foreach ((string name, YamlNode value) in Entries(section, "limits"))
        {
            YamlMappingNode row = Mapping(value, "value", "why");
            LimitModel limit = new(name, Number(row, "value", 1, int.MaxValue), Text(row, "why"));
            limits.Add(limit);
            _limits[name] = limit;
        }

        List<StructModel> structs = [];
        foreach ((string name, YamlNode value) in Entries(section, "structs"))
        {
            YamlMappingNode row = Mapping(value, "doc", "fields");
            ModelList<FieldModel> fields = Fields(row, "fields", insideStruct: true);
            StructModel made = new(name, Text(row, "doc"), FixedSize(fields), fields);
            structs.Add(made);
            _structs[name] = made;
        }

        List<MessageModel> messages = [];
        HashSet<long> ids = [];
        foreach ((string name, YamlNode value) in Entries(section, "messages"))
        {
            YamlMappingNode row = Mapping(value, "id", "doc", "extension", "reply_only", "fds", "request", "reply");
            bool replyOnly = Find(row, "reply_only") is YamlScalarNode { Value: "true" };
            long id = Number(row, "id", 2, 254);
            if (id % 2 != 0)
            {
                Fault(Find(row, "id") ?? row, $"'{name}': the id of a request is even; its reply has the next");
            }

            if (!ids.Add(id))
            {
                Fault(Find(row, "id") ?? row, $"'{name}': id {id} is taken");
            }

            if (!replyOnly && Find(row, "request") is null)
            {
                Fault(row, $"'{name}' has no request");
            }

            messages.Add(new MessageModel(
                name, (int)id, Text(row, "doc"), Find(row, "extension") is null ? "" : Text(row, "extension"), !replyOnly,
                Find(row, "fds") is null ? 0 : (int)Number(row, "fds", 0, 16),
                Fields(row, "request", insideStruct: false), Fields(row, "reply", insideStruct: false)));
        }

        return new NinePModel(
            Text(section, "version"), new ModelList<LimitModel>(limits), new ModelList<StructModel>(structs), new ModelList<MessageModel>(messages));
    }

    private ModelList<FieldModel> Fields(YamlMappingNode parent, string key, bool insideStruct)
    {
        List<FieldModel> fields = [];
        foreach ((string name, YamlNode value) in Entries(parent, key))
        {
            YamlMappingNode row = Mapping(value, "type", "doc");
            WireType type = Type(Find(row, "type") ?? row, Text(row, "type"));
            if (insideStruct && type.Kind is not (WireKind.U8 or WireKind.U16 or WireKind.U32 or WireKind.U64 or WireKind.I64 or WireKind.Struct or WireKind.String))
            {
                Fault(row, $"'{name}': a struct holds integers, structs and strings only");
            }

            fields.Add(new FieldModel(name, type, Text(row, "doc")));
        }

        return new ModelList<FieldModel>(fields);
    }

    private WireType Type(YamlNode at, string text)
    {
        switch (text)
        {
            case "u8": return new WireType(WireKind.U8, "", "", "");
            case "u16": return new WireType(WireKind.U16, "", "", "");
            case "u32": return new WireType(WireKind.U32, "", "", "");
            case "u64": return new WireType(WireKind.U64, "", "", "");
            case "i64": return new WireType(WireKind.I64, "", "", "");
        }

        if (_structs.ContainsKey(text))
        {
            return new WireType(WireKind.Struct, text, "", "");
        }

        int open = text.IndexOf('(');
        if (open > 0 && text.EndsWith(")", StringComparison.Ordinal))
        {
            string head = text.Substring(0, open);
            string inner = text.Substring(open + 1, text.Length - open - 2);
            int comma = inner.LastIndexOf(',');
            string element = comma < 0 ? "" : inner.Substring(0, comma).Trim();
            string limit = comma < 0 ? inner.Trim() : inner.Substring(comma + 1).Trim();
            if (!_limits.ContainsKey(limit))
            {
                Fault(at, $"'{limit}' in '{text}' is no limit");
            }

            switch (head)
            {
                case "string" when comma < 0:
                    return new WireType(WireKind.String, "", limit, "");
                case "data" when comma < 0:
                    return new WireType(WireKind.Data, "", limit, "");
                case "packed" when _structs.ContainsKey(element):
                    return new WireType(WireKind.Packed, element, limit, "");
                case "list" when element == "u32":
                    return new WireType(WireKind.ListU32, "", limit, "");
                case "list" when element.StartsWith("string(", StringComparison.Ordinal):
                    return new WireType(WireKind.ListString, "", limit, Type(at, element).Limit);
                case "list" when _structs.TryGetValue(element, out StructModel? found) && found.FixedSize > 0:
                    return new WireType(WireKind.ListStruct, element, limit, "");
            }
        }

        Fault(at, $"'{text}' is no field type");
        return new WireType(WireKind.U8, "", "", "");
    }

    private int FixedSize(ModelList<FieldModel> fields)
    {
        int size = 0;
        foreach (FieldModel field in fields)
        {
            int one = field.Type.Kind switch
            {
                WireKind.U8 => 1,
                WireKind.U16 => 2,
                WireKind.U32 => 4,
                WireKind.U64 or WireKind.I64 => 8,
                WireKind.Struct => _structs[field.Type.StructName].FixedSize,
                _ => -1,
            };
            if (one < 0)
            {
                return -1;
            }

            size += one;
        }

        return size;
    }

    private void Fault(YamlNode node, string message) =>
        _faults.Add(new NinePFault(message, (int)node.Start.Line - 1, (int)node.Start.Column - 1));

    private static YamlNode? Find(YamlMappingNode mapping, string key) =>
        mapping.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode scalar && scalar.Value == key).Value;

    private YamlMappingNode Mapping(YamlNode node, params string[] allowed)
    {
        if (node is not YamlMappingNode mapping)
        {
            Fault(node, "a mapping is expected here");
            return [];
        }

        foreach (YamlNode key in mapping.Children.Keys)
        {
            if (key is not YamlScalarNode scalar || !allowed.Contains(scalar.Value))
            {
                Fault(key, $"'{key}' is not one of: {string.Join(", ", allowed)}");
            }
        }

        return mapping;
    }

    private IEnumerable<(string Name, YamlNode Value)> Entries(YamlMappingNode parent, string key)
    {
        YamlNode? node = Find(parent, key);
        if (node is null)
        {
            yield break;
        }

        if (node is not YamlMappingNode mapping)
        {
            Fault(node, $"'{key}' must be a mapping");
            yield break;
        }

        foreach (KeyValuePair<YamlNode, YamlNode> pair in mapping.Children)
        {
            yield return (((pair.Key as YamlScalarNode)?.Value) ?? "", pair.Value);
        }
    }

    private string Text(YamlMappingNode mapping, string key)
    {
        YamlNode? node = Find(mapping, key);
        if (node is YamlScalarNode { Value: { Length: > 0 } value })
        {
            return value;
        }

        Fault(node ?? mapping, $"'{key}' must be given as text");
        return "";
    }

    private long Number(YamlMappingNode mapping, string key, long minimum, long maximum)
    {
        string text = Text(mapping, key);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= minimum && value <= maximum)
        {
            return value;
        }

        if (text.Length > 0)
        {
            Fault(Find(mapping, key)!, $"'{key}' must be a number from {minimum} to {maximum}");
        }

        return minimum;
    }
}
