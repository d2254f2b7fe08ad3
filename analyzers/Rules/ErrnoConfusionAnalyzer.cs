// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV2002: a host error becomes a guest error by <c>ToGuest()</c> alone, and the two are never compared.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ErrnoConfusionAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.ErrnoConfusion,
        "Guest errno confused with host errno",
        "{0}: a host error becomes a guest's by HostErrno.ToGuest() only",
        Categories.Kernel,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.ErrnoConfusion));

    private enum Side
    {
        Neither,
        Guest,
        Host,
    }

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterOperationAction(AnalyzeConversion, OperationKind.Conversion);
        context.RegisterOperationAction(AnalyzeComparison, OperationKind.Binary);
    }

    private static void AnalyzeConversion(OperationAnalysisContext context)
    {
        var conversion = (IConversionOperation)context.Operation;
        bool mixes = (SideOf(conversion.Type), Origin(conversion.Operand)) is (Side.Guest, Side.Host) or (Side.Host, Side.Guest);
        if (mixes && !IsNamedConversion(context.ContainingSymbol))
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, conversion.Syntax.GetLocation(), "This cast turns one kind of errno into the other"));
        }
    }

    private static void AnalyzeComparison(OperationAnalysisContext context)
    {
        var binary = (IBinaryOperation)context.Operation;
        bool compares = binary.OperatorKind
            is BinaryOperatorKind.Equals
            or BinaryOperatorKind.NotEquals
            or BinaryOperatorKind.LessThan
            or BinaryOperatorKind.LessThanOrEqual
            or BinaryOperatorKind.GreaterThan
            or BinaryOperatorKind.GreaterThanOrEqual;
        if (compares && (Origin(binary.LeftOperand), Origin(binary.RightOperand)) is (Side.Guest, Side.Host) or (Side.Host, Side.Guest))
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, binary.Syntax.GetLocation(), "This compares a guest errno with a host errno"));
        }
    }

    /// <summary>Which side a number comes from, however it was cast or negated on the way.</summary>
    private static Side Origin(IOperation operation)
    {
        while (true)
        {
            if (SideOf(operation.Type) is var side and not Side.Neither)
            {
                return side;
            }

            switch (operation)
            {
                case IConversionOperation conversion:
                    operation = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    operation = parenthesized.Operand;
                    break;
                case IUnaryOperation { OperatorKind: UnaryOperatorKind.Minus } negated:
                    operation = negated.Operand;
                    break;
                case IPropertyReferenceOperation { Property: { Name: "Raw" or "Value" or "Int" } property } when property.ContainingType.IsHostResult():
                    return Side.Host;
                default:
                    return Side.Neither;
            }
        }
    }

    private static Side SideOf(ITypeSymbol? type) => type.IsErrno() ? Side.Guest : type.IsHostErrno() ? Side.Host : Side.Neither;

    private static bool IsNamedConversion(ISymbol symbol) => symbol.ContainingType.Is("CVisor.Host", "HostErrnoExtensions");
}
