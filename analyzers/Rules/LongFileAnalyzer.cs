// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Analyzers;

/// <summary>CV9001: a file holds one concept, in at most 600 lines.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LongFileAnalyzer : DiagnosticAnalyzer
{
    /// <summary>The most lines a file may have.</summary>
    public const int MaxLines = 600;

    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.LongFile,
        "File too long",
        "The file has {0} lines, more than 600: split it by concept",
        Categories.Hygiene,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.LongFile));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterSyntaxTreeAction(static c =>
        {
            TextLineCollection lines = c.Tree.GetText(c.CancellationToken).Lines;
            int count = lines[lines.Count - 1].Span.IsEmpty ? lines.Count - 1 : lines.Count;
            if (count > MaxLines)
            {
                c.ReportDiagnostic(Diagnostic.Create(s_rule, Location.Create(c.Tree, lines[MaxLines].Span), count));
            }
        });
    }
}
