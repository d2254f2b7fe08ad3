// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>
/// CV1005: a public member of kernel/Host is marked with every host call that it makes, itself or through the project's
/// own members. CV1004 sees only the marks, so a missing one would hide a call from the filters.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HostCallNotDeclaredAnalyzer : DiagnosticAnalyzer
{
    private const string Unnamed = "(a raw system call)";

    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.HostCallNotDeclared,
        "Host call that the member does not declare",
        "'{0}' makes host calls that it does not declare: add [HostCall] for {1}",
        Categories.Unsafe,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.HostCallNotDeclared),
        customTags: WellKnownDiagnosticTags.CompilationEnd);

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (!RepoArea.Of(start.Options).IsHost)
            {
                return;
            }

            CallGraph graph = new();
            start.RegisterOperationAction(c => graph.AddUse(c.ContainingSymbol, c.Operation), HostCalls.Uses);
            start.RegisterOperationAction(c => graph.AddRaw(c.ContainingSymbol, (IFunctionPointerInvocationOperation)c.Operation), OperationKind.FunctionPointerInvocation);
            start.RegisterCompilationEndAction(end => graph.Report(end));
        });
    }

    private sealed class CallGraph
    {
        private readonly ConcurrentDictionary<ISymbol, ConcurrentDictionary<ISymbol, bool>> _uses = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentDictionary<ISymbol, bool> _raw = new(SymbolEqualityComparer.Default);

        internal void AddUse(ISymbol user, IOperation operation)
        {
            foreach (ISymbol target in HostCalls.Targets(operation))
            {
                if (SymbolEqualityComparer.Default.Equals(target.ContainingAssembly, user.ContainingAssembly))
                {
                    _uses.GetOrAdd(user, static _ => new(SymbolEqualityComparer.Default))[target] = true;
                }
            }
        }

        /// <summary>Notes a call through the pointers to the syscall instruction itself; other code in that page calls nothing.</summary>
        internal void AddRaw(ISymbol user, IFunctionPointerInvocationOperation call)
        {
            if (call.Target.Bare() is IFieldReferenceOperation { Field: { Name: "Syscall" or "SyscallFast", ContainingType.Name: "HostCode" } })
            {
                _raw[user] = true;
            }
        }

        internal void Report(CompilationAnalysisContext context)
        {
            foreach (ISymbol member in _uses.Keys.Concat(_raw.Keys).Distinct<ISymbol>(SymbolEqualityComparer.Default))
            {
                if (!IsPublic(member))
                {
                    continue;
                }

                HashSet<string> declared = [.. HostCalls.Declared(member)];
                HashSet<string> made = [];
                Collect(member, isRoot: true, made, new HashSet<ISymbol>(SymbolEqualityComparer.Default));

                // A member that declares any call of its own names its raw ones thereby.
                if (declared.Count > 0)
                {
                    made.Remove(Unnamed);
                }

                made.ExceptWith(declared);
                if (made.Count > 0)
                {
                    context.ReportDiagnostic(Diagnostic.Create(s_rule, member.Locations[0], member.Name, string.Join(", ", made.OrderBy(static n => n, System.StringComparer.Ordinal))));
                }
            }
        }

        private void Collect(ISymbol member, bool isRoot, HashSet<string> made, HashSet<ISymbol> seen)
        {
            if (!seen.Add(member))
            {
                return;
            }

            bool isMarked = false;
            foreach (string name in HostCalls.Declared(member))
            {
                isMarked = true;
                if (!isRoot)
                {
                    made.Add(name);
                }
            }

            // What a marked member does below is checked where it stands (a private one stands for what it names).
            if (isMarked && !isRoot)
            {
                return;
            }

            if (_raw.ContainsKey(member))
            {
                made.Add(Unnamed);
            }

            if (_uses.TryGetValue(member, out ConcurrentDictionary<ISymbol, bool>? targets))
            {
                foreach (ISymbol target in targets.Keys)
                {
                    Collect(target, isRoot: false, made, seen);
                }
            }
        }

        private static bool IsPublic(ISymbol member)
        {
            for (ISymbol? at = member; at is not null and not INamespaceSymbol; at = at.ContainingSymbol)
            {
                if (at.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
