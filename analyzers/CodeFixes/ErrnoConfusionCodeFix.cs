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

/// <summary>CV2002: writes <c>error.ToGuest()</c> in place of <c>(Errno)error</c>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class ErrnoConfusionCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.ErrnoConfusion);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode root = (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false))!;
        SemanticModel model = (await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false))!;
        if (root.FindNode(context.Span, getInnermostNodeForTie: true).FirstAncestorOrSelf<CastExpressionSyntax>() is not { } cast
            || !model.GetTypeInfo(cast, context.CancellationToken).Type.IsErrno())
        {
            return;
        }

        // Only a cast of a HostErrno itself has one meaning; what stood behind other numbers is for a person to say.
        ExpressionSyntax operand = cast.Expression;
        while (operand is ParenthesizedExpressionSyntax or CastExpressionSyntax)
        {
            operand = operand is CastExpressionSyntax inner ? inner.Expression : ((ParenthesizedExpressionSyntax)operand).Expression;
        }

        if (!model.GetTypeInfo(operand, context.CancellationToken).Type.IsHostErrno())
        {
            return;
        }

        if (operand is not (IdentifierNameSyntax or MemberAccessExpressionSyntax or InvocationExpressionSyntax or ElementAccessExpressionSyntax))
        {
            operand = SyntaxFactory.ParenthesizedExpression(operand);
        }

        InvocationExpressionSyntax call = SyntaxFactory.InvocationExpression(
            SyntaxFactory.MemberAccessExpression(SyntaxKind.SimpleMemberAccessExpression, operand.WithoutTrivia(), SyntaxFactory.IdentifierName("ToGuest")));
        context.RegisterCodeFix(
            CodeAction.Create(
                "Convert with ToGuest()",
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(cast, call.WithTriviaFrom(cast)))),
                nameof(ErrnoConfusionCodeFix)),
            context.Diagnostics);
    }
}
