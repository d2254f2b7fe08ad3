// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>
/// CV2003: in a system call handler a cast that may not hold a guest's value says what it does with the rest: arithmetic
/// is checked there, so a bare cast throws on the guest's word.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class GuestNarrowingAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.GuestNarrowing,
        "Narrowing cast of a guest's value",
        "The cast from {0} to {1} throws when a guest's value does not fit: check and convert with a helper, or write unchecked(...) with the reason",
        Categories.Kernel,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.GuestNarrowing));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            RepoArea area = RepoArea.Of(start.Options);
            if (area.IsSyscalls)
            {
                start.RegisterOperationAction(AnalyzeAll, OperationKind.Conversion);
            }
            else if (area.IsGuestReachable)
            {
                start.RegisterOperationAction(AnalyzeSigns, OperationKind.Conversion);
            }
        });
    }

    private static void AnalyzeAll(OperationAnalysisContext context) => Analyze(context, signsOnly: false);

    private static void AnalyzeSigns(OperationAnalysisContext context) => Analyze(context, signsOnly: true);

    private static void Analyze(OperationAnalysisContext context, bool signsOnly)
    {
        var conversion = (IConversionOperation)context.Operation;
        if (conversion is not { ConstantValue.HasValue: false, OperatorMethod: null, Type: { } to, Operand.Type: { } from }
            || ValueRange.Width(from) is not { } source
            || ValueRange.Width(to) is not { } target
            || !(IsSignIdiom(source, target) || (!signsOnly && source.Bits == 64))
            || (target.Bits == 64 && target.IsSigned == source.IsSigned)
            || !IsChecked(conversion, context.Compilation)
            || ValueRange.Fits(conversion.Operand, target))
        {
            return;
        }

        context.ReportDiagnostic(Diagnostic.Create(
            s_rule,
            conversion.Syntax.GetLocation(),
            from.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat),
            to.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
    }

    /// <summary>Whether it is the cast of <c>(uint)index &gt;= (uint)count</c>, which is an idiom only where arithmetic is not checked.</summary>
    private static bool IsSignIdiom((int Bits, bool IsSigned) source, (int Bits, bool IsSigned) target) =>
        source is { Bits: 32, IsSigned: true } && target is { Bits: 32, IsSigned: false };

    /// <summary>Whether the cast throws when the value does not fit. The operation does not say so for enums, though they are checked too.</summary>
    private static bool IsChecked(IConversionOperation conversion, Compilation compilation)
    {
        if (conversion.IsChecked || conversion.Type!.TypeKind != TypeKind.Enum)
        {
            return conversion.IsChecked;
        }

        foreach (SyntaxNode node in conversion.Syntax.Ancestors())
        {
            if (node.RawKind is (int)SyntaxKind.UncheckedExpression or (int)SyntaxKind.UncheckedStatement)
            {
                return false;
            }

            if (node.RawKind is (int)SyntaxKind.CheckedExpression or (int)SyntaxKind.CheckedStatement)
            {
                return true;
            }
        }

        return ((CSharpCompilationOptions)compilation.Options).CheckOverflow;
    }
}
