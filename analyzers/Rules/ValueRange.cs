// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>What an integer expression's own form, and the checks before it, say about its value.</summary>
internal static class ValueRange
{
    /// <summary>The width of an integer or enum type, or null for other types.</summary>
    internal static (int Bits, bool IsSigned)? Width(ITypeSymbol type) => (type is INamedTypeSymbol { EnumUnderlyingType: { } underlying } ? underlying : type).SpecialType switch
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

    /// <summary>Whether the value is known to be from 0 to the largest of the target.</summary>
    internal static bool Fits(IOperation operand, (int Bits, bool IsSigned) target) =>
        Bound(operand) is { } bound && bound <= ulong.MaxValue >> (64 - target.Bits + (target.IsSigned ? 1 : 0));

    /// <summary>The largest value that an expression can have, or null when it may be negative.</summary>
    private static ulong? Bound(IOperation operation)
    {
        if (Constant(operation) is { } constant)
        {
            return constant;
        }

        switch (operation)
        {
            case IParenthesizedOperation parenthesized:
                return Bound(parenthesized.Operand);
            case IConversionOperation { OperatorMethod: null, Operand.Type: { } from } conversion when Width(from) is not null:
                return Bound(conversion.Operand) ?? OfChecked(conversion, from);
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
            case IConditionalOperation { WhenFalse: { } otherwise } choice:
                return Bound(choice.WhenTrue) is { } one && Bound(otherwise) is { } other ? Math.Max(one, other) : null;
            case IInvocationOperation { TargetMethod: { Name: "Min", ContainingType.Name: "Math", Parameters.Length: 2 } } min:
                return Bound(min.Arguments[0].Value) is { } a && Bound(min.Arguments[1].Value) is { } b ? Math.Min(a, b) : null;
            case IInvocationOperation { TargetMethod: { Name: "Max", ContainingType.Name: "Math" }, Type: { } made } max when Width(made) is { } width:
                return (Bound(max.Arguments[0].Value), Bound(max.Arguments[1].Value)) switch
                {
                    ({ } left, { } right) => Math.Max(left, right),
                    (null, null) => null,
                    _ => ulong.MaxValue >> (64 - width.Bits + (width.IsSigned ? 1 : 0)),
                };
            case IInvocationOperation { TargetMethod: { Name: "Clamp", ContainingType.Name: "Math" } } clamp:
                return Bound(clamp.Arguments[1].Value) is not null ? Bound(clamp.Arguments[2].Value) : null;
            case IInvocationOperation { TargetMethod.Name: "TrailingZeroCount" or "LeadingZeroCount" or "PopCount" or "Log2" }:
                return 64;
            case IPropertyReferenceOperation { Property.Name: "Length" or "Count" or "LongLength" }:
                return int.MaxValue;
            case ILocalReferenceOperation local:
                return Checked(operation, local.Local) ?? OfType(operation);
            case IParameterReferenceOperation parameter:
                return Checked(operation, parameter.Parameter) ?? OfType(operation);
            default:
                return OfType(operation);
        }
    }

    private static ulong? Constant(IOperation operation) => operation.ConstantValue is not { HasValue: true, Value: IConvertible value } ? null : value switch
    {
        ulong n => n,
        long or int or short or sbyte => Convert.ToInt64(value) is >= 0 and var n ? (ulong)n : null,
        uint or ushort or byte => Convert.ToUInt64(value),
        _ => null,
    };

    private static ulong? OfType(IOperation operation) =>
        operation.Type is { } type && Width(type) is { IsSigned: false } width ? ulong.MaxValue >> (64 - width.Bits) : null;

    /// <summary>A checked cast to an unsigned type lets nothing negative through: what is left is the positive half of the source.</summary>
    private static ulong? OfChecked(IConversionOperation conversion, ITypeSymbol from) =>
        conversion.IsChecked && Width(from) is { IsSigned: true } source && Width(conversion.Type!) is { IsSigned: false } ? ulong.MaxValue >> (64 - source.Bits + 1) : null;

    /// <summary>The bound that an earlier check of a variable leaves: <c>if (x &gt; limit) { return …; }</c>, with <c>x &lt; 0</c> too when it is signed.</summary>
    private static ulong? Checked(IOperation use, ISymbol variable)
    {
        SemanticModel model = use.SemanticModel!;
        ulong? upper = null;
        bool isPositive = use.Type is { } type && Width(type) is { IsSigned: false };
        for (SyntaxNode at = use.Syntax; at.Parent is { } parent and not (MemberDeclarationSyntax or AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax); at = parent)
        {
            SyntaxList<StatementSyntax> siblings = parent switch
            {
                BlockSyntax block => block.Statements,
                SwitchSectionSyntax section => section.Statements,
                _ => default,
            };
            for (int i = at is StatementSyntax statement ? siblings.IndexOf(statement) - 1 : -1; i >= 0; i--)
            {
                if (siblings[i] is IfStatementSyntax { Else: null } guard && Leaves(guard.Statement) && !Assigns(guard.Statement, variable, model))
                {
                    Narrow(guard.Condition, variable, model, ref upper, ref isPositive);
                }
                else if (Assigns(siblings[i], variable, model))
                {
                    return Range(use, upper, isPositive);
                }
            }

            if (parent is ConditionalExpressionSyntax choice && choice.WhenFalse == at)
            {
                Narrow(choice.Condition, variable, model, ref upper, ref isPositive);
            }

            // In a loop, what follows the use may assign before it is reached again.
            if (parent is WhileStatementSyntax or ForStatementSyntax or DoStatementSyntax && Assigns(parent, variable, model))
            {
                break;
            }
        }

        return Range(use, upper, isPositive);
    }

    /// <summary>The largest value, when the variable is known not to be negative: by the checks, or by its type alone.</summary>
    private static ulong? Range(IOperation use, ulong? upper, bool isPositive) =>
        !isPositive ? null : upper ?? (use.Type is { } type && Width(type) is { IsSigned: true } width ? ulong.MaxValue >> (64 - width.Bits + 1) : null);

    /// <summary>Takes over what is known after a condition, a chain of <c>||</c>, was false.</summary>
    private static void Narrow(ExpressionSyntax condition, ISymbol variable, SemanticModel model, ref ulong? upper, ref bool isPositive)
    {
        switch (condition)
        {
            case ParenthesizedExpressionSyntax parenthesized:
                Narrow(parenthesized.Expression, variable, model, ref upper, ref isPositive);
                break;
            case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalOrExpression } either:
                Narrow(either.Left, variable, model, ref upper, ref isPositive);
                Narrow(either.Right, variable, model, ref upper, ref isPositive);
                break;
            case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.GreaterThanExpression or (int)SyntaxKind.GreaterThanOrEqualExpression } above when Is(above.Left, variable, model):
                if (model.GetOperation(Inner(above.Right)) is { } limit && Bound(limit) is { } bound)
                {
                    upper = Math.Min(upper ?? ulong.MaxValue, bound);
                }

                break;
            case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LessThanExpression or (int)SyntaxKind.LessThanOrEqualExpression } below when Is(below.Left, variable, model):
                isPositive |= model.GetOperation(below.Right) is { } least && Constant(least.Bare()) is not null;
                break;
            case IsPatternExpressionSyntax { Pattern: var pattern } test when Is(test.Expression, variable, model):
                Narrow(pattern, model, ref upper, ref isPositive);
                break;
        }
    }

    private static void Narrow(PatternSyntax pattern, SemanticModel model, ref ulong? upper, ref bool isPositive)
    {
        switch (pattern)
        {
            case BinaryPatternSyntax { RawKind: (int)SyntaxKind.OrPattern } either:
                Narrow(either.Left, model, ref upper, ref isPositive);
                Narrow(either.Right, model, ref upper, ref isPositive);
                break;
            case RelationalPatternSyntax relation when model.GetOperation(relation.Expression) is { } limit && Constant(limit.Bare()) is { } bound:
                if (relation.OperatorToken.IsKind(SyntaxKind.GreaterThanToken) || relation.OperatorToken.IsKind(SyntaxKind.GreaterThanEqualsToken))
                {
                    upper = Math.Min(upper ?? ulong.MaxValue, bound);
                }
                else if (relation.OperatorToken.IsKind(SyntaxKind.LessThanToken) || relation.OperatorToken.IsKind(SyntaxKind.LessThanEqualsToken))
                {
                    isPositive = true;
                }

                break;
        }
    }

    private static ExpressionSyntax Inner(ExpressionSyntax expression) =>
        expression is ParenthesizedExpressionSyntax parenthesized ? Inner(parenthesized.Expression) : expression;

    private static bool Is(ExpressionSyntax expression, ISymbol variable, SemanticModel model) =>
        expression is IdentifierNameSyntax && SymbolEqualityComparer.Default.Equals(model.GetSymbolInfo(expression).Symbol, variable);

    private static bool Leaves(StatementSyntax statement) =>
        (statement is BlockSyntax block ? block.Statements.LastOrDefault() : statement) is ReturnStatementSyntax or BreakStatementSyntax or ContinueStatementSyntax or ThrowStatementSyntax;

    /// <summary>Whether the node assigns the variable, or hands it out by reference.</summary>
    private static bool Assigns(SyntaxNode node, ISymbol variable, SemanticModel model) => node.DescendantNodesAndSelf().Any(n => n switch
    {
        AssignmentExpressionSyntax assignment => assignment.Left.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().Any(i => Is(i, variable, model)),
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PreIncrementExpression or (int)SyntaxKind.PreDecrementExpression } prefix => Is(prefix.Operand, variable, model),
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression } postfix => Is(postfix.Operand, variable, model),
        ArgumentSyntax { RefKindKeyword.RawKind: not 0 } argument => Is(argument.Expression, variable, model),
        _ => false,
    });
}
