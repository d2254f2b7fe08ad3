// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Reads YAML nodes and reports what does not fit at the node's own line and column.</summary>
public sealed class NodeReader
{
    private readonly List<SpecDiagnostic> _diagnostics;

    /// <summary>A reader that adds to <paramref name="diagnostics"/>.</summary>
    public NodeReader(List<SpecDiagnostic> diagnostics) => _diagnostics = diagnostics;

    /// <summary>How many problems were reported so far.</summary>
    public int ReportCount => _diagnostics.Count;

    /// <summary>Reports <paramref name="message"/> at <paramref name="node"/>.</summary>
    public void Report(YamlNode node, string id, string message)
        => _diagnostics.Add(new SpecDiagnostic(id, message, (int)node.Start.Line, (int)node.Start.Column));

    /// <summary>The entries of a mapping with scalar keys, in file order; reports anything else and yields nothing.</summary>
    public IEnumerable<KeyValuePair<YamlScalarNode, YamlNode>> Entries(YamlNode node, string what)
    {
        if (node is not YamlMappingNode mapping)
        {
            Report(node, SpecRules.Malformed, $"{what} must be a mapping");
            yield break;
        }

        foreach (KeyValuePair<YamlNode, YamlNode> pair in mapping.Children)
        {
            if (pair.Key is YamlScalarNode { Value: not null } key)
            {
                yield return new KeyValuePair<YamlScalarNode, YamlNode>(key, pair.Value);
            }
            else
            {
                Report(pair.Key, SpecRules.Malformed, $"{what}: a key must be a plain name");
            }
        }
    }

    /// <summary>The items of a list; reports anything else and yields nothing.</summary>
    public IEnumerable<YamlNode> Items(YamlNode node, string what)
    {
        if (node is YamlSequenceNode sequence)
        {
            return sequence.Children;
        }

        Report(node, SpecRules.Malformed, $"{what} must be a list");
        return Array.Empty<YamlNode>();
    }

    /// <summary>A scalar's text, or null after a report.</summary>
    public string? Text(YamlNode node, string what)
    {
        if (node is YamlScalarNode { Value: { } value })
        {
            return value;
        }

        Report(node, SpecRules.BadRow, $"{what} must be a single value");
        return null;
    }

    /// <summary>A number: decimal, 0x hexadecimal or 0o octal, with an optional minus sign (two's complement); null after a report.</summary>
    public ulong? Number(YamlNode node, string what)
    {
        string? text = Text(node, what);
        if (text is null)
        {
            return null;
        }

        if (TryParseNumber(text, out ulong value))
        {
            return value;
        }

        Report(node, SpecRules.BadRow, $"{what}: '{text}' is not a number");
        return null;
    }

    /// <summary>A number no larger than <paramref name="max"/>, or null after a report.</summary>
    public int? SmallNumber(YamlNode node, string what, int max)
    {
        ulong? value = Number(node, what);
        if (value is null || value <= (ulong)max)
        {
            return (int?)value;
        }

        Report(node, SpecRules.BadRow, $"{what}: {value} is larger than {max}");
        return null;
    }

    /// <summary>true or false; null after a report.</summary>
    public bool? Boolean(YamlNode node, string what)
    {
        switch (Text(node, what))
        {
            case "true":
                return true;
            case "false":
                return false;
            case null:
                return null;
            case string text:
                Report(node, SpecRules.BadRow, $"{what}: '{text}' is neither true nor false");
                return null;
        }
    }

    /// <summary>Parses the number forms of <see cref="Number"/>.</summary>
    public static bool TryParseNumber(string text, out ulong value)
    {
        value = 0;
        bool negative = text.StartsWith("-", StringComparison.Ordinal);
        string digits = negative ? text.Substring(1) : text;
        if (digits.StartsWith("0x", StringComparison.Ordinal))
        {
            if (!ulong.TryParse(digits.Substring(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
            {
                return false;
            }
        }
        else if (digits.StartsWith("0o", StringComparison.Ordinal))
        {
            if (digits.Length is 2 or > 23)
            {
                return false;
            }

            foreach (char c in digits.Substring(2))
            {
                if (c is < '0' or > '7')
                {
                    return false;
                }

                value = (value << 3) | (uint)(c - '0');
            }
        }
        else if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            return false;
        }

        value = negative ? unchecked(0 - value) : value;
        return true;
    }
}
