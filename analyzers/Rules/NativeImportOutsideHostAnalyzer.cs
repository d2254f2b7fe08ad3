// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV1003: only kernel/Host talks to native code, so that the host surface can be read in one place.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NativeImportOutsideHostAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.NativeImportOutsideHost,
        "Native code reached from outside kernel/Host",
        "{0} belongs in kernel/Host, where the host surface is declared",
        Categories.Unsafe,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.NativeImportOutsideHost));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (RepoArea.Of(start.Options).IsHost)
            {
                return;
            }

            start.RegisterSyntaxNodeAction(AnalyzeAttribute, SyntaxKind.Attribute);
            start.RegisterSyntaxNodeAction(AnalyzeFunctionPointer, SyntaxKind.FunctionPointerType);
            start.RegisterOperationAction(AnalyzeInvocation, OperationKind.Invocation);
        });
    }

    private static void AnalyzeAttribute(SyntaxNodeAnalysisContext context)
    {
        string? name = (context.SemanticModel.GetSymbolInfo(context.Node, context.CancellationToken).Symbol as IMethodSymbol)?.ContainingType.ToDisplayString();
        string? what = name switch
        {
            "System.Runtime.InteropServices.DllImportAttribute" or "System.Runtime.InteropServices.LibraryImportAttribute" => "A native import",
            "System.Runtime.InteropServices.UnmanagedCallersOnlyAttribute" => "A function that native code calls",
            _ => null,
        };
        if (what is not null)
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Node.GetLocation(), what));
        }
    }

    private static void AnalyzeFunctionPointer(SyntaxNodeAnalysisContext context)
    {
        if (((FunctionPointerTypeSyntax)context.Node).CallingConvention is { ManagedOrUnmanagedKeyword.RawKind: (int)SyntaxKind.UnmanagedKeyword })
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Node.GetLocation(), "A pointer to native code"));
        }
    }

    private static void AnalyzeInvocation(OperationAnalysisContext context)
    {
        IMethodSymbol method = ((IInvocationOperation)context.Operation).TargetMethod;
        bool isNative = (method.ContainingType.ToDisplayString(), method.Name) switch
        {
            ("System.Runtime.InteropServices.NativeLibrary", _) => true,
            ("System.Runtime.InteropServices.Marshal", "GetDelegateForFunctionPointer" or "GetFunctionPointerForDelegate") => true,
            _ => false,
        };
        if (isNative)
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Operation.Syntax.GetLocation(), "'" + method.Name + "'"));
        }
    }
}
