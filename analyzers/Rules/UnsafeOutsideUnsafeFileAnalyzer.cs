// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Analyzers;

/// <summary>CV1001: the keyword <c>unsafe</c> stands only in files named <c>*.Unsafe.cs</c> of kernel/Host and the platforms.</summary>
/// <remarks>No pointer can be written outside the keyword's reach, so looking for the keyword finds all of it.</remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnsafeOutsideUnsafeFileAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.UnsafeOutsideUnsafeFile,
        "Unsafe code outside its place",
        "Unsafe code belongs in a '*.Unsafe.cs' file of kernel/Host or a platform",
        Categories.Unsafe,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.UnsafeOutsideUnsafeFile));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterSyntaxTreeAction(Analyze);
    }

    private static void Analyze(SyntaxTreeAnalysisContext context)
    {
        if (RepoArea.IsUnsafeFile(context.Tree.FilePath) && RepoArea.Of(context.Options).AllowsUnsafe)
        {
            return;
        }

        foreach (SyntaxToken token in context.Tree.GetRoot(context.CancellationToken).DescendantTokens())
        {
            if (token.IsKind(SyntaxKind.UnsafeKeyword))
            {
                context.ReportDiagnostic(Diagnostic.Create(s_rule, token.GetLocation()));
            }
        }
    }
}
