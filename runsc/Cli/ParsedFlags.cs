// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;

namespace CVisor.Runsc.Cli;

/// <summary>The values of a set of flags; those not given have their defaults.</summary>
public sealed class ParsedFlags(FlagDefinition[] definitions)
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    /// <summary>The flags there are.</summary>
    public ReadOnlySpan<FlagDefinition> Definitions => definitions;

    /// <summary>Finds a flag; null when there is none of that name.</summary>
    public FlagDefinition? Find(string name) => Array.Find(definitions, definition => definition.Name == name);

    /// <summary>Whether the flag was given.</summary>
    public bool IsSet(string name) => _values.ContainsKey(name);

    /// <summary>The text of a flag.</summary>
    public string Text(string name) => _values.TryGetValue(name, out List<string>? values) ? values[^1] : Get(name).Default;

    /// <summary>The value of a Boolean flag.</summary>
    public bool Boolean(string name) => Text(name) == "true";

    /// <summary>The value of a whole-number flag.</summary>
    public long Integer(string name) => long.Parse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>Every value of a repeatable flag.</summary>
    public string[] List(string name) => _values.TryGetValue(name, out List<string>? values) ? [.. values] : [];

    /// <summary>Sets a flag; returns the complaint when the value is not one of its.</summary>
    public string? Set(FlagDefinition definition, string value)
    {
        string? complaint = definition.Check(value, out string normal);
        if (complaint is null)
        {
            if (!_values.TryGetValue(definition.Name, out List<string>? values))
            {
                _values[definition.Name] = values = [];
            }

            values.Add(normal);
        }

        return complaint;
    }

    private FlagDefinition Get(string name) => Find(name) ?? throw new ArgumentException("no such flag: " + name);
}
