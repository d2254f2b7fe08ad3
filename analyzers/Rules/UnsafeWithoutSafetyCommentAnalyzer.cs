// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Analyzers;

/// <summary>
/// CV1002: whatever can break memory safety (pinning, following a pointer, calling through one, handing one to a function
/// or a span) is covered by a <c>// SAFETY:</c> comment before its statement or the paragraph of statements it is in, an
/// enclosing statement, or its member.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class UnsafeWithoutSafetyCommentAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.UnsafeWithoutSafetyComment,
        "Unsafe operation without a SAFETY comment",
        "{0} needs a '// SAFETY:' comment that says why it is sound, before the statement or its member",
        Categories.Unsafe,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.UnsafeWithoutSafetyComment));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            // Without the option the compiler refuses the rest by itself, and the banned symbols what needs no keyword.
            if (((CSharpCompilationOptions)start.Compilation.Options).AllowUnsafe)
            {
                start.RegisterSemanticModelAction(Analyze);
            }
        });
    }

    private static void Analyze(SemanticModelAnalysisContext context)
    {
        SemanticModel model = context.SemanticModel;
        SyntaxNode root = model.SyntaxTree.GetRoot(context.CancellationToken);
        if (!RepoArea.IsUnsafeFile(model.SyntaxTree.FilePath) && !root.DescendantTokens().Any(static t => t.IsKind(SyntaxKind.UnsafeKeyword)))
        {
            return;
        }

        // One report for each statement: what lies inside a reported statement is covered by the same comment.
        HashSet<SyntaxNode> reported = [];
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            if (Describe(node, model, context.CancellationToken) is not { } what || IsCovered(node, reported))
            {
                continue;
            }

            reported.Add(node.AncestorsAndSelf().First(static n => n is StatementSyntax or MemberDeclarationSyntax or AccessorDeclarationSyntax));
            Location location = node is StatementSyntax ? node.GetFirstToken().GetLocation() : node.GetLocation();
            context.ReportDiagnostic(Diagnostic.Create(s_rule, location, what));
        }
    }

    private static bool IsCovered(SyntaxNode node, HashSet<SyntaxNode> reported)
    {
        for (SyntaxNode? at = node; at is not null and not BaseTypeDeclarationSyntax; at = at.Parent)
        {
            if (reported.Contains(at) || LineComment.Precedes(at, "SAFETY") || (at is StatementSyntax statement && IsInCoveredParagraph(statement, reported)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a statement before this one, with no blank line between, has the comment (or the report).</summary>
    private static bool IsInCoveredParagraph(StatementSyntax statement, HashSet<SyntaxNode> reported)
    {
        SyntaxList<StatementSyntax> siblings = statement.Parent switch
        {
            BlockSyntax block => block.Statements,
            SwitchSectionSyntax section => section.Statements,
            _ => default,
        };
        for (int i = siblings.IndexOf(statement); i > 0 && !StartsParagraph(siblings[i]); i--)
        {
            if (reported.Contains(siblings[i - 1]) || LineComment.Precedes(siblings[i - 1], "SAFETY"))
            {
                return true;
            }
        }

        return false;
    }

    private static bool StartsParagraph(StatementSyntax statement) =>
        statement.GetFirstToken().LeadingTrivia.FirstOrDefault(static t => !t.IsKind(SyntaxKind.WhitespaceTrivia)).IsKind(SyntaxKind.EndOfLineTrivia);

    private static string? Describe(SyntaxNode node, SemanticModel model, CancellationToken cancellation) => node switch
    {
        FixedStatementSyntax => "Pinning memory",
        UnsafeStatementSyntax => "An unsafe block",
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PointerIndirectionExpression } => "Following a pointer",
        MemberAccessExpressionSyntax { RawKind: (int)SyntaxKind.PointerMemberAccessExpression } => "Following a pointer",
        ElementAccessExpressionSyntax access when model.GetTypeInfo(access.Expression, cancellation).Type is IPointerTypeSymbol => "Following a pointer",
        InvocationExpressionSyntax call when model.GetTypeInfo(call.Expression, cancellation).Type is IFunctionPointerTypeSymbol => "Calling through a function pointer",
        InvocationExpressionSyntax => model.GetSymbolInfo(node, cancellation).Symbol switch
        {
            IMethodSymbol method when TakesPointer(method) || IsReinterpretation(method) => "Calling the unsafe '" + method.Name + "'",
            _ => null,
        },
        BaseObjectCreationExpressionSyntax when model.GetSymbolInfo(node, cancellation).Symbol is IMethodSymbol made && TakesPointer(made) =>
            "Making a '" + made.ContainingType.Name + "' of a pointer",
        _ => null,
    };

    private static bool TakesPointer(IMethodSymbol method) =>
        method.Parameters.Any(static p => p.Type.TypeKind is TypeKind.Pointer or TypeKind.FunctionPointer);

    private static bool IsReinterpretation(IMethodSymbol method) => (method.ContainingType?.ToDisplayString(), method.Name) switch
    {
        ("System.Runtime.CompilerServices.Unsafe", "SizeOf" or "SkipInit" or "AreSame" or "IsNullRef" or "NullRef") => false,
        ("System.Runtime.CompilerServices.Unsafe", _) => true,
        ("System.Runtime.InteropServices.MemoryMarshal", "CreateSpan" or "CreateReadOnlySpan" or "GetArrayDataReference") => true,
        _ => false,
    };
}
