// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Composition;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Analyzers.CodeFixes;

/// <summary>CV9002: puts the licence line on top.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class FileHeaderCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(RuleIds.FileHeader);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        context.RegisterCodeFix(
            CodeAction.Create(
                "Add the licence header",
                async cancellation =>
                {
                    SourceText text = await context.Document.GetTextAsync(cancellation).ConfigureAwait(false);
                    return context.Document.WithText(text.WithChanges(new TextChange(new TextSpan(0, 0), FileHeaderAnalyzer.Header + "\n")));
                },
                nameof(FileHeaderCodeFix)),
            context.Diagnostics);
        return Task.CompletedTask;
    }
}
