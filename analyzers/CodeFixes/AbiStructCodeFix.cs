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

/// <summary>CV5001: states the layout of an ABI struct that has none.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class AbiStructCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.AbiStruct);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode root = (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false))!;
        SemanticModel model = (await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false))!;
        if (root.FindNode(context.Span) is not TypeDeclarationSyntax type
            || model.GetDeclaredSymbol(type, context.CancellationToken) is not { } symbol
            || StructLayout.StatedKind(symbol) is not null)
        {
            return;
        }

        AttributeSyntax layout = SyntaxFactory.Attribute(
            SyntaxFactory.ParseName("System.Runtime.InteropServices.StructLayout"),
            SyntaxFactory.ParseAttributeArgumentList("(System.Runtime.InteropServices.LayoutKind.Sequential)")!);
        AttributeListSyntax list = SyntaxFactory.AttributeList(SyntaxFactory.SingletonSeparatedList(layout)).WithTrailingTrivia(SyntaxFactory.LineFeed);
        SyntaxTriviaList leading = type.GetLeadingTrivia();
        SyntaxTriviaList indent = SyntaxFactory.TriviaList(leading.Reverse().TakeWhile(static t => t.IsKind(SyntaxKind.WhitespaceTrivia)));
        TypeDeclarationSyntax changed = type.WithLeadingTrivia(indent);
        changed = changed.WithAttributeLists(changed.AttributeLists.Insert(0, list.WithLeadingTrivia(leading)));
        context.RegisterCodeFix(
            CodeAction.Create(
                "State the sequential layout",
                _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(type, changed))),
                nameof(AbiStructCodeFix)),
            context.Diagnostics);
    }
}
