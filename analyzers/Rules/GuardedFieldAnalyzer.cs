// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>CV3001: a field or property with <c>[GuardedBy]</c> is touched only while its lock is held.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class GuardedFieldAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.GuardedField,
        "Guarded field touched without its lock",
        "'{0}' is guarded by '{1}', which is not held here",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.GuardedField));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterOperationAction(Analyze, OperationKind.FieldReference, OperationKind.PropertyReference);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var reference = (IMemberReferenceOperation)context.Operation;
        string? lockName = reference.Member.Annotated("GuardedByAttribute").FirstOrDefault()?.Text();
        if (lockName is null
            || HeldLocks.IsUnshared(reference.Instance, context.ContainingSymbol)
            || IsAtomic(reference)
            || reference.Parent is INameOfOperation)
        {
            return;
        }

        HeldLocks.Needed needed = HeldLocks.Of(reference.Member, lockName, HeldLocks.Receiver(reference.Instance), []);
        if (!HeldLocks.IsHeld(reference.Syntax, needed, reference.SemanticModel!))
        {
            context.ReportDiagnostic(Diagnostic.Create(s_rule, reference.Syntax.GetLocation(), reference.Member.Name, needed.Path));
        }
    }

    /// <summary>Whether the field is handed to Volatile or Interlocked: a race that is meant.</summary>
    private static bool IsAtomic(IOperation reference) =>
        reference.Parent is IArgumentOperation { Parameter.RefKind: not RefKind.None, Parent: IInvocationOperation { TargetMethod.ContainingType: var type } }
        && (type.Is("System.Threading", "Volatile") || type.Is("System.Threading", "Interlocked"));
}
