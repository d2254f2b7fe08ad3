// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Generators.NineP;

/// <summary>Turns the <c>ninep</c> section of syscalls.yaml into message types with checked decoders, for projects that ask for the output <c>NineP</c>; and random samples of them for tests that ask for <c>NinePSamples</c>.</summary>
[Generator]
public sealed class NinePGenerator : IIncrementalGenerator
{
    /// <summary>The tracked name of the step that parses the section.</summary>
    public const string ParseStep = "NineP.Parse";

    /// <summary>The tracked name of the step that holds the model.</summary>
    public const string ModelStep = "NineP.Model";

    private static readonly DiagnosticDescriptor s_fault = new(
        "CV0301", "Fault in the ninep section of syscalls.yaml", "{0}", "CVisor.Spec", DiagnosticSeverity.Error, isEnabledByDefault: true);

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<(bool Codecs, bool Samples)> wanted = context.AnalyzerConfigOptionsProvider.Select(static (provider, _) =>
            (Wants(provider, "NineP"), Wants(provider, "NinePSamples")));

        IncrementalValuesProvider<NinePParse> parses = context.AdditionalTextsProvider
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Where(static pair => pair.Right.GetOptions(pair.Left).TryGetValue("build_metadata.AdditionalFiles.CVisorSpec", out string? mark) && mark == "true")
            .Select(static (pair, _) => pair.Left)
            .Combine(wanted)
            .Where(static pair => pair.Right.Codecs || pair.Right.Samples)
            .Select(static (pair, cancel) => NinePParser.Parse(pair.Left.GetText(cancel)?.ToString() ?? "", pair.Left.Path))
            .WithTrackingName(ParseStep);

        context.RegisterSourceOutput(parses.SelectMany(static (parse, _) => Faults(parse)), static (output, fault) =>
        {
            LinePosition at = new(Math.Max(fault.Fault.Line, 0), Math.Max(fault.Fault.Column, 0));
            output.ReportDiagnostic(Diagnostic.Create(
                s_fault, Location.Create(fault.Path, default, new LinePositionSpan(at, at)), fault.Fault.Message));
        });

        IncrementalValuesProvider<NinePModel> models = parses
            .Where(static parse => parse.Model is not null)
            .Select(static (parse, _) => parse.Model!)
            .WithTrackingName(ModelStep);

        context.RegisterSourceOutput(models.Combine(wanted), static (output, pair) =>
        {
            if (pair.Right.Codecs)
            {
                foreach ((string hint, string text) in NinePEmitter.Emit(pair.Left))
                {
                    output.AddSource(hint, SourceText.From(text, Encoding.UTF8));
                }
            }

            if (pair.Right.Samples)
            {
                (string hint, string text) = NinePEmitter.EmitSamples(pair.Left);
                output.AddSource(hint, SourceText.From(text, Encoding.UTF8));
            }
        });
    }

    private static bool Wants(AnalyzerConfigOptionsProvider provider, string output) =>
        provider.GlobalOptions.TryGetValue("build_property.CVisorGenerate", out string? outputs)
        && outputs.Split(';', ',').Any(one => one.Trim() == output);

    private static IEnumerable<(NinePFault Fault, string Path)> Faults(NinePParse parse) => parse.Faults.Select(fault => (fault, parse.Path));
}
