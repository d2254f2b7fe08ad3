// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV3002: a method or property with <c>[RequiresLock]</c> is used only while that lock is held.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LockRequiredAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.LockRequired,
        "Method called without the lock it requires",
        "'{0}' requires '{1}', which is not held here",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.LockRequired));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterOperationAction(
            static c =>
            {
                var call = (IInvocationOperation)c.Operation;
                Check(c, call.TargetMethod, call.Instance, call.Arguments);
            },
            OperationKind.Invocation);
        context.RegisterOperationAction(
            static c =>
            {
                var reference = (IPropertyReferenceOperation)c.Operation;
                Check(c, reference.Property, reference.Instance, reference.Arguments);
            },
            OperationKind.PropertyReference);
    }

    private static void Check(OperationAnalysisContext context, ISymbol member, IOperation? instance, IEnumerable<IArgumentOperation> arguments)
    {
        foreach (string lockName in HeldLocks.Required(member))
        {
            if (HeldLocks.IsUnshared(instance, context.ContainingSymbol))
            {
                return;
            }

            HeldLocks.Needed needed = HeldLocks.Of(member, lockName, HeldLocks.Receiver(instance), arguments);
            if (!HeldLocks.IsHeld(context.Operation.Syntax, needed, context.Operation.SemanticModel!))
            {
                context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Operation.Syntax.GetLocation(), member.Name, needed.Path));
            }
        }
    }
}
