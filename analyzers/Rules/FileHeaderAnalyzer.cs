// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Analyzers;

/// <summary>CV9002: the first line of a file names its licence.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class FileHeaderAnalyzer : DiagnosticAnalyzer
{
    /// <summary>The line.</summary>
    public const string Header = "// SPDX-License-Identifier: Apache-2.0";

    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.FileHeader,
        "File without its licence header",
        "The first line must be '" + Header + "'",
        Categories.Hygiene,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.FileHeader));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterSyntaxTreeAction(static c =>
        {
            TextLine first = c.Tree.GetText(c.CancellationToken).Lines[0];
            if (!string.Equals(first.ToString(), Header, StringComparison.Ordinal))
            {
                c.ReportDiagnostic(Diagnostic.Create(s_rule, Location.Create(c.Tree, first.Span)));
            }
        });
    }
}
