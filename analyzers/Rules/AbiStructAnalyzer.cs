// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Analyzers;

/// <summary>CV5001: a struct with <c>[AbiStruct(n)]</c> states its layout, holds only blittable fields, and is n bytes long.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AbiStructAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor s_rule = new(
        RuleIds.AbiStruct,
        "ABI struct that does not match its annotation",
        "'{0}' {1}",
        Categories.Abi,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: RuleIds.HelpLink(RuleIds.AbiStruct));

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(s_rule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.RegisterSymbolAction(Analyze, SymbolKind.NamedType);
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        AttributeData? annotation = type.Annotated("AbiStructAttribute").FirstOrDefault();
        if (annotation is null || annotation.ConstructorArguments.Length != 1 || annotation.ConstructorArguments[0].Value is not int stated)
        {
            return;
        }

        if (StructLayout.StatedKind(type) is not (StructLayout.Sequential or StructLayout.Explicit))
        {
            Report(context, type, "has no [StructLayout] of kind Sequential or Explicit");
            return;
        }

        bool isBlittable = true;
        foreach (IFieldSymbol field in StructLayout.Fields(type))
        {
            if (!StructLayout.IsBlittable(field.Type))
            {
                isBlittable = false;
                Report(context, field.AssociatedSymbol ?? field, "is of type '" + field.Type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat) + "', which has no fixed representation");
            }
        }

        if (isBlittable && StructLayout.SizeOf(type) is var size && size != stated)
        {
            Report(context, type, "is " + size + " bytes long, its annotation says " + stated);
        }
    }

    private static void Report(SymbolAnalysisContext context, ISymbol symbol, string what) =>
        context.ReportDiagnostic(Diagnostic.Create(s_rule, symbol.Locations[0], symbol.Name, what));
}
