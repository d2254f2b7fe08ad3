// SPDX-License-Identifier: Apache-2.0
using System;
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
            if (RepoArea.Of(start.Options).IsSyscalls)
            {
                start.RegisterOperationAction(Analyze, OperationKind.Conversion);
            }
        });
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var conversion = (IConversionOperation)context.Operation;
        if (conversion is not { ConstantValue.HasValue: false, OperatorMethod: null, Type: { } to, Operand.Type: { } from }
            || Width(from) is not { Bits: 64 } source
            || Width(to) is not { } target
            || (target.Bits == 64 && target.IsSigned == source.IsSigned)
            || !IsChecked(conversion, context.Compilation)
            || Fits(conversion.Operand, target))
        {
            return;
        }

        context.ReportDiagnostic(Diagnostic.Create(
            s_rule,
            conversion.Syntax.GetLocation(),
            from.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat),
            to.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
    }

    private static (int Bits, bool IsSigned)? Width(ITypeSymbol type) => (type is INamedTypeSymbol { EnumUnderlyingType: { } underlying } ? underlying : type).SpecialType switch
    {
        SpecialType.System_Int64 or SpecialType.System_IntPtr => (64, true),
        SpecialType.System_UInt64 or SpecialType.System_UIntPtr => (64, false),
        SpecialType.System_Int32 => (32, true),
        SpecialType.System_UInt32 => (32, false),
        SpecialType.System_Int16 => (16, true),
        SpecialType.System_UInt16 or SpecialType.System_Char => (16, false),
        SpecialType.System_SByte => (8, true),
        SpecialType.System_Byte => (8, false),
        _ => null,
    };

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

    /// <summary>Whether the expression's own form bounds it within the target: a mask, a shift, a remainder or a minimum.</summary>
    private static bool Fits(IOperation operand, (int Bits, bool IsSigned) target) =>
        Bound(operand) is { } bound && bound <= ulong.MaxValue >> (64 - target.Bits + (target.IsSigned ? 1 : 0));

    /// <summary>The largest value that an expression can have, or null when it may be negative.</summary>
    private static ulong? Bound(IOperation operation)
    {
        if (operation.ConstantValue is { HasValue: true, Value: IConvertible value })
        {
            return value switch
            {
                ulong n => n,
                long or int or short or sbyte => Convert.ToInt64(value) is >= 0 and var n ? (ulong)n : null,
                uint or ushort or byte => Convert.ToUInt64(value),
                _ => null,
            };
        }

        switch (operation)
        {
            case IParenthesizedOperation parenthesized:
                return Bound(parenthesized.Operand);
            case IConversionOperation { OperatorMethod: null, Operand.Type: { } from } conversion when Width(from) is not null:
                return Bound(conversion.Operand);
            case IBinaryOperation { OperatorKind: BinaryOperatorKind.And } and:
                return (Bound(and.LeftOperand), Bound(and.RightOperand)) switch
                {
                    ({ } left, { } right) => Math.Min(left, right),
                    (var left, var right) => left ?? right,
                };
            case IBinaryOperation { OperatorKind: BinaryOperatorKind.Remainder } remainder:
                return Bound(remainder.LeftOperand) is not null && Bound(remainder.RightOperand) is > 0 and var modulus ? modulus - 1 : null;
            case IBinaryOperation { OperatorKind: BinaryOperatorKind.RightShift or BinaryOperatorKind.UnsignedRightShift } shift
                when shift.RightOperand.ConstantValue is { HasValue: true, Value: int count and >= 0 and < 64 }:
                return Bound(shift.LeftOperand) >> count;
            case IInvocationOperation { TargetMethod: { Name: "Min", ContainingType.Name: "Math", Parameters.Length: 2 } } min:
                return Bound(min.Arguments[0].Value) is { } a && Bound(min.Arguments[1].Value) is { } b ? Math.Min(a, b) : null;
            case IPropertyReferenceOperation { Property.Name: "Length" or "Count" or "LongLength" }:
                return int.MaxValue;
            default:
                return operation.Type is { } type && Width(type) is { IsSigned: false } width ? ulong.MaxValue >> (64 - width.Bits) : null;
        }
    }
}
