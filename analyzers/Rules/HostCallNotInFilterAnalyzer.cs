// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Analyzers;

/// <summary>CV1004: a host call that code of a process role makes is in that role's filter in syscalls.yaml.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HostCallNotInFilterAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.HostCallNotInFilter,
        "Host call that the role's filter does not allow",
        "The filter of role '{0}' in syscalls.yaml has no rule for '{1}': the host would end the process here. Add a rule, or mark the member [BeforeFilter].",
        Categories.Unsafe,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.HostCallNotInFilter));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.RegisterCompilationStartAction(static start =>
        {
            RoleFilters filters = RoleFilters.Read(start.Options, start.CancellationToken);
            if (filters.IsEmpty)
            {
                return;
            }

            ImmutableArray<string> projectRoles = Roles(start.Compilation.Assembly);
            if (projectRoles.IsEmpty && RepoArea.Property(start.Options, "CVisorRole") is { Length: > 0 } property)
            {
                projectRoles = ImmutableArray.Create(property);
            }

            start.RegisterOperationAction(c => Analyze(c, filters, projectRoles), HostCalls.Uses);
        });
    }

    private static void Analyze(OperationAnalysisContext context, RoleFilters filters, ImmutableArray<string> projectRoles)
    {
        List<string> names = [.. HostCalls.Targets(context.Operation).SelectMany(HostCalls.Declared).Distinct()];
        if (names.Count == 0 || context.ContainingSymbol.IsWithin("BeforeFilterAttribute"))
        {
            return;
        }

        foreach (string role in RolesAt(context.ContainingSymbol) ?? projectRoles)
        {
            foreach (string name in names)
            {
                if (!filters.Allows(role, name))
                {
                    context.ReportDiagnostic(Diagnostic.Create(s_rule, context.Operation.Syntax.GetLocation(), role, name));
                }
            }
        }
    }

    /// <summary>The roles that the nearest member or type around states, if any.</summary>
    private static ImmutableArray<string>? RolesAt(ISymbol symbol)
    {
        for (ISymbol? at = symbol; at is not null and not INamespaceSymbol; at = at.ContainingSymbol)
        {
            if (Roles(at) is { IsEmpty: false } roles)
            {
                return roles;
            }
        }

        return null;
    }

    private static ImmutableArray<string> Roles(ISymbol symbol) =>
        [.. symbol.Annotated("ProcessRoleAttribute").Select(static a => a.Text()).OfType<string>()];
}
