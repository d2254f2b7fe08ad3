// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Schema.Validation;

/// <summary>Every type mentioned exists and fits its place; every type and flag set is mentioned.</summary>
internal static class NameValidation
{
    public static void Check(SpecFile file, SpecSource source)
    {
        Dictionary<string, TypeSpec> types = new();
        foreach (Placed<TypeSpec> type in source.Types)
        {
            types[type.Model.Name] = type.Model;
        }

        HashSet<string> flags = new(source.Flags.Select(f => f.Model.Name));
        foreach (TypeUse use in source.Uses)
        {
            if (flags.Contains(use.Type))
            {
                continue;
            }

            if (!types.TryGetValue(use.Type, out TypeSpec? type))
            {
                file.Reader.Report(use.Node, SpecRules.UnknownName, $"{use.By}: unknown type '{use.Type}'");
            }
            else if (!use.InMemory && type.CSharp.Length == 0)
            {
                file.Reader.Report(
                    use.Node, SpecRules.BadRow, $"{use.By}: '{use.Type}' does not fit a register; write in<>, out<> or inout<>");
            }
        }

        HashSet<string> used = new(source.Uses.Select(u => u.Type));
        foreach (Placed<TypeSpec> type in source.Types.Where(t => !used.Contains(t.Model.Name)))
        {
            file.Reader.Report(type.Key, SpecRules.Unused, $"type {type.Model.Name}: nothing uses it");
        }

        foreach (Placed<FlagSet> set in source.Flags)
        {
            if (!used.Contains(set.Model.Name))
            {
                file.Reader.Report(set.Key, SpecRules.Unused, $"flags {set.Model.Name}: nothing uses the set");
            }

            if (types.ContainsKey(set.Model.Name))
            {
                file.Reader.Report(set.Key, SpecRules.BadRow, $"flags {set.Model.Name}: a type has that name");
            }
        }
    }
}
