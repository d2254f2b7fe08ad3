// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>The named values of all flag sets, for conditions: a number, a name, or names joined by |.</summary>
internal sealed class ConstantTable
{
    private readonly Dictionary<string, ulong> _values = new();

    public ConstantTable(SpecSource source)
    {
        foreach (FlagSet set in source.Flags.Select(f => f.Model))
        {
            foreach (NamedValue value in set.Enum.Concat(set.Bits))
            {
                // The widest meaning: a set "like" another repeats its names in a narrower type.
                _values[value.Name] = _values.TryGetValue(value.Name, out ulong known) && known > value.Value ? known : value.Value;
            }
        }
    }

    /// <summary>The value of <paramref name="node"/>, or null after a report.</summary>
    public ulong? Evaluate(NodeReader reader, YamlNode node, string what)
    {
        string? text = reader.Text(node, what);
        if (text is null)
        {
            return null;
        }

        ulong value = 0;
        foreach (string part in text.Split('|').Select(p => p.Trim()))
        {
            if (!NodeReader.TryParseNumber(part, out ulong one) && !_values.TryGetValue(part, out one))
            {
                reader.Report(node, SpecRules.UnknownName, $"{what}: '{part}' is neither a number nor a name of the flags section");
                return null;
            }

            value |= one;
        }

        return value;
    }
}
