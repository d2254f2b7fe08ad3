// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Generators.Syscalls.Emit;
using CVisor.Schema;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Syscalls;

/// <summary>Generates what the guest call sections of syscalls.yaml say: numbers, handler declarations, dispatch, names, trace data.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class SyscallGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<SpecText?> text = GeneratorInputs.Spec(context);
        IncrementalValueProvider<EquatableArray<string>> outputs = GeneratorInputs.Outputs(context);
        IncrementalValueProvider<ParsedSpec> parsed = text.Select(static (t, _) => SpecParser.Parse(t?.Text ?? ""));

        // Places are in the diagnostics only, so an edit that just moves rows ends here.
        IncrementalValueProvider<Spec> spec = parsed.Select(static (p, _) => p.Spec).WithTrackingName(StepNames.Spec);

        context.RegisterSourceOutput(parsed.Combine(text).Combine(outputs), static (production, input) =>
        {
            ((ParsedSpec result, SpecText? source), EquatableArray<string> names) = input;
            foreach (string name in names.Where(n => !OutputNames.All.Contains(n)))
            {
                string message = $"CVisorGenerate asks for '{name}'; there are {string.Join(", ", OutputNames.All)}";
                production.ReportDiagnostic(Diagnostics.Create(new SpecDiagnostic(SpecRules.Configuration, message, 1, 1), ""));
            }

            if (source is null || !names.Any(OutputNames.OfSyscalls.Contains))
            {
                return;
            }

            foreach (SpecDiagnostic diagnostic in result.Diagnostics)
            {
                production.ReportDiagnostic(Diagnostics.Create(diagnostic, source.Path));
            }
        });

        GeneratorInputs.Add(context, outputs, OutputNames.Numbers, spec.Select(static (s, _) => NumbersModel.From(s)), NumbersModel.Render);
        GeneratorInputs.Add(context, outputs, OutputNames.Handlers, spec.Select(static (s, _) => HandlersModel.From(s)), HandlersModel.Render);
        GeneratorInputs.Add(context, outputs, OutputNames.Dispatch, spec.Select(static (s, _) => DispatchModel.From(s)), DispatchModel.Render);
        GeneratorInputs.Add(context, outputs, OutputNames.Info, spec.Select(static (s, _) => InfoModel.From(s)), InfoModel.Render);
        GeneratorInputs.Add(context, outputs, OutputNames.Trace, spec.Select(static (s, _) => TraceModel.From(s)), TraceModel.Render);
    }
}
