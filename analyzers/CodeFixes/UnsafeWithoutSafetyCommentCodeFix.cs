// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CVisor.Analyzers.CodeFixes;

/// <summary>CV1002: puts a SAFETY comment before the statement or member, with the reason left to write.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class UnsafeWithoutSafetyCommentCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.UnsafeWithoutSafetyComment);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        context.RegisterCodeFix(
            CodeAction.Create(
                "Add a SAFETY comment",
                async cancellation =>
                {
                    SyntaxNode root = (await context.Document.GetSyntaxRootAsync(cancellation).ConfigureAwait(false))!;
                    SyntaxNode place = root.FindNode(context.Span, getInnermostNodeForTie: true)
                        .AncestorsAndSelf()
                        .First(static n => n is MemberDeclarationSyntax or AccessorDeclarationSyntax or StatementSyntax);
                    SyntaxToken first = place.GetFirstToken();

                    // The last trivia is the indentation, when the statement stands on its own line.
                    SyntaxTriviaList leading = first.LeadingTrivia;
                    SyntaxTrivia indent = leading.LastOrDefault(static t => t.IsKind(SyntaxKind.WhitespaceTrivia));
                    leading = leading.AddRange([SyntaxFactory.Comment("// SAFETY: TODO say why this is sound."), SyntaxFactory.LineFeed, indent]);
                    return context.Document.WithSyntaxRoot(root.ReplaceToken(first, first.WithLeadingTrivia(leading)));
                },
                nameof(UnsafeWithoutSafetyCommentCodeFix)),
            context.Diagnostics);
        return Task.CompletedTask;
    }
}
