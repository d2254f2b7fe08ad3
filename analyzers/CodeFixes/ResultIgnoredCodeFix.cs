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

/// <summary>CV2004: discards the result in the open, with <c>_ =</c>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class ResultIgnoredCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.ResultIgnored);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode root = (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false))!;
        if (root.FindNode(context.Span).FirstAncestorOrSelf<ExpressionStatementSyntax>() is not { } statement)
        {
            return;
        }

        ExpressionSyntax value = statement.Expression;
        AssignmentExpressionSyntax discard = SyntaxFactory.AssignmentExpression(
            SyntaxKind.SimpleAssignmentExpression,
            SyntaxFactory.IdentifierName("_").WithLeadingTrivia(value.GetLeadingTrivia()).WithTrailingTrivia(SyntaxFactory.Space),
            SyntaxFactory.Token(SyntaxKind.EqualsToken).WithTrailingTrivia(SyntaxFactory.Space),
            value.WithoutLeadingTrivia());
        context.RegisterCodeFix(
            CodeAction.Create(
                "Discard with '_ ='",
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(statement, statement.WithExpression(discard)))),
                nameof(ResultIgnoredCodeFix)),
            context.Diagnostics);
    }
}
