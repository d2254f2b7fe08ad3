// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV2001: what a guest can reach returns an errno; an exception there ends the sandbox.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ExceptionOnGuestPathAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.ExceptionOnGuestPath,
        "Exception on a path that a guest reaches",
        "A guest may reach this {0}: return an Errno, throw UnreachableException for a bug of ours, or mark the member [StartUp]",
        Categories.Kernel,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.ExceptionOnGuestPath));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (RepoArea.Of(start.Options).IsGuestReachable)
            {
                start.RegisterOperationAction(AnalyzeThrow, OperationKind.Throw);
                start.RegisterOperationAction(AnalyzeInvocation, OperationKind.Invocation);
            }
        });
    }

    private static void AnalyzeThrow(OperationAnalysisContext context)
    {
        // "throw;" passes on what was thrown elsewhere, where it is judged.
        if (((IThrowOperation)context.Operation).Exception?.Bare() is { } exception && !IsBug(exception) && !IsStartUp(context))
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Operation.Syntax.GetLocation(), "'throw'"));
        }
    }

    private static void AnalyzeInvocation(OperationAnalysisContext context)
    {
        IMethodSymbol method = ((IInvocationOperation)context.Operation).TargetMethod;
        if (Throws(method) && !IsStartUp(context))
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Operation.Syntax.GetLocation(), "'" + method.Name + "'"));
        }
    }

    /// <summary>Whether the exception says by its type that it is a bug of ours, which nothing a guest does can cause.</summary>
    private static bool IsBug(IOperation exception) =>
        exception.Type.Is("System.Diagnostics", "UnreachableException") || exception is IInvocationOperation { TargetMethod.ContainingType.Name: "Bug" };

    /// <summary>Whether the method exists to throw. A null argument is a bug of ours by the types; other checks may see a guest's value.</summary>
    private static bool Throws(IMethodSymbol method) => method.Name switch
    {
        "OrThrow" => method.ContainingType.Is("CVisor.Host", "HostErrnoExtensions"),
        "ThrowIfNull" => false,
        _ => method.IsStatic
            && method.Name.StartsWith("ThrowIf", StringComparison.Ordinal)
            && method.ContainingType.ContainingNamespace.ToDisplayString() == "System"
            && method.ContainingType.Name.EndsWith("Exception", StringComparison.Ordinal)
            && method.ContainingType.Name != nameof(ObjectDisposedException),
    };

    private static bool IsStartUp(OperationAnalysisContext context) => context.ContainingSymbol.IsWithin("StartUpAttribute");
}
