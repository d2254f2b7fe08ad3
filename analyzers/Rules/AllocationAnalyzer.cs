// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>
/// CV4001: a method with <c>[NoAlloc]</c> has nothing in it that allocates on the managed heap. What it throws may: the
/// sandbox ends there.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AllocationAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.Allocation,
        "Allocation in a [NoAlloc] method",
        "{0} allocates in a [NoAlloc] method: avoid it, or write '// ALLOC: reason' on the line",
        Categories.Performance,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.Allocation));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterOperationBlockStartAction(static block =>
        {
            if (block.OwningSymbol is not IMethodSymbol method || !(method.Has("NoAllocAttribute") || (method.AssociatedSymbol?.Has("NoAllocAttribute") ?? false)))
            {
                return;
            }

            block.RegisterOperationAction(
                Analyze,
                OperationKind.ObjectCreation,
                OperationKind.AnonymousObjectCreation,
                OperationKind.TypeParameterObjectCreation,
                OperationKind.ArrayCreation,
                OperationKind.CollectionExpression,
                OperationKind.DelegateCreation,
                OperationKind.Conversion,
                OperationKind.InterpolatedString,
                OperationKind.Binary,
                OperationKind.CompoundAssignment,
                OperationKind.Invocation,
                OperationKind.YieldReturn,
                OperationKind.Loop,
                OperationKind.With);
            if (method.IsAsync)
            {
                block.RegisterOperationBlockEndAction(end => ReportAsync(end, method));
            }
        });
    }

    private static void ReportAsync(OperationBlockAnalysisContext context, IMethodSymbol method)
    {
        foreach (SyntaxReference reference in method.DeclaringSyntaxReferences)
        {
            if (reference.GetSyntax(context.CancellationToken) is MethodDeclarationSyntax declaration && !IsExcused(declaration))
            {
                context.ReportDiagnostic(Diagnostic.Create(s_rule, declaration.Identifier.GetLocation(), "An async method's state"));
            }
        }
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        IOperation operation = context.Operation;
        if (What(operation) is { } what && !IsThrown(operation) && !IsExcused(operation.Syntax))
        {
            SyntaxNode place = operation is ILoopOperation && operation.Syntax is CommonForEachStatementSyntax loop ? loop.Expression : operation.Syntax;
            context.ReportDiagnostic(Diagnostic.Create(s_rule, place.GetLocation(), what));
        }
    }

    private static string? What(IOperation operation) => operation switch
    {
        IObjectCreationOperation { Type: { IsReferenceType: true } type } => "'new " + type.Name + "'",
        IAnonymousObjectCreationOperation => "An anonymous object",
        ITypeParameterObjectCreationOperation => "'new T()'",
        IArrayCreationOperation { IsImplicit: true, Parent: IArgumentOperation { ArgumentKind: ArgumentKind.ParamArray } } array => IsEmpty(array) ? null : "A params array",
        IArrayCreationOperation array => IsConstantSpan(array) ? null : "An array",
        ICollectionExpressionOperation collection => CollectionAllocates(collection) ? "A collection" : null,
        IDelegateCreationOperation made => DelegateAllocates(made),
        IConversionOperation conversion => Boxes(conversion) ? "Boxing '" + conversion.Operand.Type!.Name + "'" : null,
        IInterpolatedStringOperation { Type.SpecialType: SpecialType.System_String, ConstantValue.HasValue: false } => "An interpolated string",
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Add, Type.SpecialType: SpecialType.System_String, ConstantValue.HasValue: false } binary
            when binary.Parent is not IBinaryOperation { Type.SpecialType: SpecialType.System_String } => "Joining strings",
        ICompoundAssignmentOperation { Type.SpecialType: SpecialType.System_String } => "Joining strings",
        IInvocationOperation call => CallAllocates(call),
        IReturnOperation { Kind: OperationKind.YieldReturn } => "An iterator",
        IForEachLoopOperation loop => Enumerates(loop),
        IWithOperation { Type.IsReferenceType: true } => "'with' on a class",
        _ => null,
    };

    private static bool IsEmpty(IArrayCreationOperation array) => array.DimensionSizes.Length == 1 && array.DimensionSizes[0].ConstantValue is { HasValue: true, Value: 0 };

    /// <summary>Whether the array is constant data behind a ReadOnlySpan, which the compiler puts into the image.</summary>
    private static bool IsConstantSpan(IArrayCreationOperation array) =>
        array.Parent is IConversionOperation { Type: INamedTypeSymbol { Name: "ReadOnlySpan" } }
        && array.Initializer is { } values
        && values.ElementValues.All(static v => v.ConstantValue.HasValue);

    private static bool CollectionAllocates(ICollectionExpressionOperation collection) =>
        collection.Type is not { IsRefLikeType: true } && (collection.Elements.Length > 0 || collection.Type is not IArrayTypeSymbol)
        && !(collection.Elements.Length == 0 && collection.Type is { IsValueType: true });

    private static string? DelegateAllocates(IDelegateCreationOperation made) => made.Target switch
    {
        // What captures nothing is made once and kept by the compiler.
        IAnonymousFunctionOperation lambda => Captures(lambda) ? "A lambda that captures" : null,
        IMethodReferenceOperation { Method.IsStatic: true } => null,
        IMethodReferenceOperation method => "A delegate of '" + method.Method.Name + "'",
        _ => "A delegate",
    };

    private static bool Captures(IAnonymousFunctionOperation lambda)
    {
        SyntaxNode body = lambda.Syntax;
        return lambda.Descendants().Any(d => d switch
        {
            IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance } => true,
            ILocalReferenceOperation local => !IsDeclaredIn(local.Local, body) && !local.Local.IsConst,
            IParameterReferenceOperation parameter => !IsDeclaredIn(parameter.Parameter, body),
            _ => false,
        });
    }

    private static bool IsDeclaredIn(ISymbol symbol, SyntaxNode body) =>
        symbol.DeclaringSyntaxReferences.All(r => r.SyntaxTree == body.SyntaxTree && body.Span.Contains(r.Span));

    private static bool Boxes(IConversionOperation conversion) =>
        conversion is { OperatorMethod: null, ConstantValue.HasValue: false, Operand.Type: { IsValueType: true, IsRefLikeType: false }, Type.IsReferenceType: true }
        && conversion.Operand is not IDefaultValueOperation;

    private static string? CallAllocates(IInvocationOperation call)
    {
        IMethodSymbol method = call.TargetMethod;
        string home = method.ContainingNamespace?.ToDisplayString() ?? "";
        if (home == "System.Linq")
        {
            return "LINQ";
        }

        // A struct's inherited Equals, GetHashCode or ToString boxes it.
        if (call.Instance?.Type is { IsValueType: true, TypeKind: TypeKind.Struct } receiver
            && method.ContainingType.SpecialType is SpecialType.System_Object or SpecialType.System_ValueType)
        {
            return "Boxing '" + receiver.Name + "'";
        }

        bool isFramework = home == "System" || home.StartsWith("System.", System.StringComparison.Ordinal);
        bool makes = method.ReturnType is IArrayTypeSymbol or { SpecialType: SpecialType.System_String };
        return isFramework && makes && !IsKept(method) ? "'" + method.Name + "'" : null;
    }

    /// <summary>Whether the framework returns a string or array that it already has.</summary>
    private static bool IsKept(IMethodSymbol method) => (method.ContainingType.Name, method.Name) switch
    {
        ("Array", "Empty") => true,
        ("String", "Intern" or "IsInterned" or "ToString") => true,
        ("ArrayPool", "Rent") => true,
        ("Interlocked" or "Volatile", _) => true,
        ("Unsafe", _) => true,
        _ => method.ContainingType.Name is "Dictionary" or "ConcurrentDictionary" or "List" or "Stack" or "Queue" && method.Name != "ToArray",
    };

    private static string? Enumerates(IForEachLoopOperation loop)
    {
        ITypeSymbol? enumerable = loop.Collection.Bare().Type;
        if (enumerable is null or IArrayTypeSymbol or { IsRefLikeType: true } or { SpecialType: SpecialType.System_String })
        {
            return null;
        }

        IMethodSymbol? method = enumerable.GetMembers("GetEnumerator").OfType<IMethodSymbol>().FirstOrDefault(static m => m.Parameters.Length == 0);
        return method is { ReturnType.IsValueType: true } ? null : "The enumerator of '" + enumerable.Name + "'";
    }

    /// <summary>Whether the allocation is part of a throw, or of an attribute, which is no code of the method.</summary>
    private static bool IsThrown(IOperation operation)
    {
        for (IOperation? at = operation; at is not null; at = at.Parent)
        {
            if (at is IThrowOperation or IAttributeOperation)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a comment on the line, or on the lines directly above its statement, says why it may allocate.</summary>
    private static bool IsExcused(SyntaxNode node)
    {
        SyntaxNode? statement = node.AncestorsAndSelf().FirstOrDefault(static n => n is StatementSyntax or MemberDeclarationSyntax or AccessorDeclarationSyntax);
        if (statement is not null && LineComment.Precedes(statement, "ALLOC"))
        {
            return true;
        }

        int line = node.SyntaxTree.GetLineSpan(node.Span).EndLinePosition.Line;
        return node.SyntaxTree.GetRoot()
            .DescendantTrivia(node.SyntaxTree.GetText().Lines[line].Span)
            .Any(t => t.IsKind(SyntaxKind.SingleLineCommentTrivia)
                && node.SyntaxTree.GetLineSpan(t.Span).StartLinePosition.Line == line
                && LineComment.HasReason(SyntaxFactory.TriviaList(t), "ALLOC"));
    }
}
