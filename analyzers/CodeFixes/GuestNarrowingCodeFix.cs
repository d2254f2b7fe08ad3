// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Composition;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CVisor.Analyzers.CodeFixes;

/// <summary>CV2003: writes <c>unchecked((int)value)</c> in place of <c>(int)value</c>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class GuestNarrowingCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.GuestNarrowing);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode root = (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false))!;
        if (root.FindNode(context.Span, getInnermostNodeForTie: true).FirstAncestorOrSelf<CastExpressionSyntax>() is not { } cast)
        {
            return;
        }

        CheckedExpressionSyntax wrapped = SyntaxFactory.CheckedExpression(SyntaxKind.UncheckedExpression, cast.WithoutTrivia());
        context.RegisterCodeFix(
            CodeAction.Create(
                "Take the low bits: unchecked(...)",
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(cast, wrapped.WithTriviaFrom(cast)))),
                nameof(GuestNarrowingCodeFix)),
            context.Diagnostics);
    }
}
