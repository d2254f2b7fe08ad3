// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Schema;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Generators.Shared;

/// <summary>Turns spec diagnostics into compiler diagnostics at the line and column of the YAML.</summary>
public static class Diagnostics
{
    private const string Category = "CVisor.Spec";

    private static readonly DiagnosticDescriptor s_malformed = Rule(SpecRules.Malformed, "syscalls.yaml is malformed");
    private static readonly DiagnosticDescriptor s_badRow = Rule(SpecRules.BadRow, "Malformed row in syscalls.yaml");
    private static readonly DiagnosticDescriptor s_duplicate = Rule(SpecRules.DuplicateNumber, "Duplicate call or number");
    private static readonly DiagnosticDescriptor s_unknown = Rule(SpecRules.UnknownName, "Unknown name");
    private static readonly DiagnosticDescriptor s_unused = Rule(SpecRules.Unused, "Unused type or flag set");
    private static readonly DiagnosticDescriptor s_note = Rule(SpecRules.MissingNote, "Partial row without a note");
    private static readonly DiagnosticDescriptor s_unsorted = Rule(SpecRules.Unsorted, "Rows out of order");
    private static readonly DiagnosticDescriptor s_unreachable = Rule(SpecRules.UnreachableRule, "Filter rule without effect");
    private static readonly DiagnosticDescriptor s_configuration = Rule(SpecRules.Configuration, "Generator configuration");

    private static readonly Dictionary<string, DiagnosticDescriptor> s_rules = new()
    {
        [SpecRules.Malformed] = s_malformed,
        [SpecRules.BadRow] = s_badRow,
        [SpecRules.DuplicateNumber] = s_duplicate,
        [SpecRules.UnknownName] = s_unknown,
        [SpecRules.Unused] = s_unused,
        [SpecRules.MissingNote] = s_note,
        [SpecRules.Unsorted] = s_unsorted,
        [SpecRules.UnreachableRule] = s_unreachable,
        [SpecRules.Configuration] = s_configuration,
    };

    /// <summary>The compiler diagnostic for <paramref name="diagnostic"/> in the file at <paramref name="path"/>.</summary>
    public static Diagnostic Create(SpecDiagnostic diagnostic, string path)
    {
        Location location = Location.None;
        if (path.Length > 0)
        {
            LinePosition place = new(diagnostic.Line - 1, diagnostic.Column - 1);
            location = Location.Create(path, default, new LinePositionSpan(place, place));
        }

        return Diagnostic.Create(s_rules[diagnostic.Id], location, diagnostic.Message);
    }

    private static DiagnosticDescriptor Rule(string id, string title)
        => new(id, title, "{0}", Category, DiagnosticSeverity.Error, isEnabledByDefault: true);
}
