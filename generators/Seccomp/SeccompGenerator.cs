// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using CVisor.Generators.Seccomp.Emit;
using CVisor.Generators.Shared;
using CVisor.Schema;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Seccomp;

/// <summary>Generates the seccomp programs of the filters section.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class SeccompGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<SpecText?> text = GeneratorInputs.Spec(context);
        IncrementalValueProvider<EquatableArray<string>> outputs = GeneratorInputs.Outputs(context);
        IncrementalValueProvider<ParsedSpec?> parsed = text.Combine(outputs).Select(static (input, _) =>
            input.Left is not null && input.Right.Contains(OutputNames.Filters) ? SpecParser.Parse(input.Left.Text) : null);
        IncrementalValueProvider<EquatableArray<RoleFilterSpec>> filters = parsed
            .Select(static (p, _) => p?.Spec.Filters ?? default)
            .WithTrackingName(StepNames.Filters);

        context.RegisterSourceOutput(parsed.Combine(text), static (production, input) =>
        {
            foreach (SpecDiagnostic diagnostic in input.Left?.Diagnostics ?? default)
            {
                production.ReportDiagnostic(Diagnostics.Create(diagnostic, input.Right!.Path));
            }
        });

        GeneratorInputs.Add(context, outputs, OutputNames.Filters, filters.Select(static (f, _) => FiltersModel.From(f)), FiltersModel.Render);
    }
}
