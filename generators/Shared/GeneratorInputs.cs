// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Generators.Shared;

/// <summary>The inputs every generator here has: the spec's text and the outputs the project asks for.</summary>
public static class GeneratorInputs
{
    private const string SpecKey = "build_metadata.AdditionalFiles.CVisorSpec";
    private const string OutputsKey = "build_metadata.AdditionalFiles.CVisorGenerate";

    /// <summary>The additional file marked CVisorSpec, or null.</summary>
    public static IncrementalValueProvider<SpecText?> Spec(IncrementalGeneratorInitializationContext context)
        => SpecFiles(context)
            .Select(static (pair, cancel) => new SpecText(pair.Left.Path, pair.Left.GetText(cancel)?.ToString() ?? ""))
            .Collect()
            .Select(static (texts, _) => texts.IsEmpty ? null : texts[0])
            .WithTrackingName(StepNames.Text);

    /// <summary>The outputs in the project's CVisorGenerate property.</summary>
    /// <remarks>
    /// They come as metadata of the spec file, separated by commas: in the config file that carries properties to the compiler a
    /// semicolon starts a comment.
    /// </remarks>
    public static IncrementalValueProvider<EquatableArray<string>> Outputs(IncrementalGeneratorInitializationContext context)
        => SpecFiles(context)
            .Select(static (pair, _) => pair.Right.GetOptions(pair.Left).TryGetValue(OutputsKey, out string? list) ? list : "")
            .Collect()
            .Select(static (lists, _) => string.Join(",", lists).Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries).ToEquatableArray())
            .WithTrackingName(StepNames.Outputs);

    /// <summary>Adds one output: <paramref name="model"/> rendered by <paramref name="render"/> when the project asks for it.</summary>
    public static void Add<T>(
        IncrementalGeneratorInitializationContext context,
        IncrementalValueProvider<EquatableArray<string>> outputs,
        string output,
        IncrementalValueProvider<T> model,
        Func<T, string> render)
        where T : class
    {
        IncrementalValueProvider<bool> wanted = outputs.Select((names, _) => names.Contains(output));
        context.RegisterSourceOutput(model.WithTrackingName(StepNames.Model(output)).Combine(wanted), (production, pair) =>
        {
            if (pair.Right)
            {
                production.AddSource(output + ".g.cs", render(pair.Left));
            }
        });
    }

    private static IncrementalValuesProvider<(AdditionalText Left, AnalyzerConfigOptionsProvider Right)> SpecFiles(
        IncrementalGeneratorInitializationContext context)
        => context.AdditionalTextsProvider
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Where(static pair => pair.Right.GetOptions(pair.Left).TryGetValue(SpecKey, out string? value)
                && string.Equals(value, "true", StringComparison.OrdinalIgnoreCase));
}
