// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using CVisor.Schema.Validation;

namespace CVisor.Schema.Parsing;

/// <summary>Reads and checks the sections syscalls, types, flags and filters.</summary>
public static class SpecParser
{
    /// <summary>Parses <paramref name="text"/>; what is wrong is left out of the model and reported.</summary>
    public static ParsedSpec Parse(string text)
    {
        SpecFile file = SpecFile.Load(text);
        SpecSource source = new();
        FlagParser.Parse(file, source);
        TypeParser.Parse(file, source);
        SyscallParser.Parse(file, source);
        FilterParser.Parse(file, source);
        NumberValidation.Check(file, source);
        NameValidation.Check(file, source);
        RowValidation.Check(file, source);
        FilterValidation.Check(file, source);

        Spec spec = new(
            source.Families.ToEquatableArray(),
            source.Types.Select(t => t.Model).ToEquatableArray(),
            source.Flags.Select(f => f.Model).ToEquatableArray(),
            source.Filters.ToEquatableArray());
        return new ParsedSpec(spec, file.OrderedDiagnostics().ToEquatableArray());
    }
}

/// <summary>A model and what was wrong with its file.</summary>
public sealed record ParsedSpec(Spec Spec, EquatableArray<SpecDiagnostic> Diagnostics);
