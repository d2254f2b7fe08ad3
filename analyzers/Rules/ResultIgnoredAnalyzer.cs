// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV2004: errors are values, so a call whose result is an error is not made for its effect alone.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ResultIgnoredAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.ResultIgnored,
        "Result ignored",
        "The {0} of '{1}' is ignored: handle it, or discard it with '_ ='",
        Categories.Kernel,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.ResultIgnored));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterOperationAction(Analyze, OperationKind.ExpressionStatement);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        IOperation operation = ((IExpressionStatementOperation)context.Operation).Operation;
        if (operation is IAwaitOperation awaited)
        {
            operation = awaited.Operation;
        }
        else if (operation is IConditionalAccessOperation access)
        {
            operation = access.WhenNotNull;
        }

        if (operation is not IInvocationOperation { TargetMethod: var method } call || Result(context.Operation, call) is not { } result)
        {
            return;
        }

        // OrThrow has dealt with the error.
        if ((IsError(result) && method.Name != "OrThrow") || method.Has("MustUseAttribute"))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                s_rule,
                context.Operation.Syntax.GetLocation(),
                result.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat),
                method.Name));
        }
    }

    /// <summary>The type that the statement drops: of an await its result, otherwise the call's own.</summary>
    private static ITypeSymbol? Result(IOperation statement, IInvocationOperation call) =>
        ((IExpressionStatementOperation)statement).Operation is IAwaitOperation { Type: { } type } ? type : call.Type;

    private static bool IsError(ITypeSymbol type) =>
        type.IsErrno() || type.IsHostErrno() || type.IsHostResult() || type.OriginalDefinition.Has("MustUseAttribute");
}
