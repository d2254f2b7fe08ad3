// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>Questions about symbols that several rules ask.</summary>
internal static class Symbols
{
    private const string Annotations = "CVisor.Annotations";

    /// <summary>Whether the type is the one of that namespace and name.</summary>
    internal static bool Is(this ITypeSymbol? type, string @namespace, string name) =>
        type is not null && type.Name == name && type.ContainingNamespace?.ToDisplayString() == @namespace;

    /// <summary>The project's own attributes of that name on the symbol.</summary>
    /// <param name="symbol">The symbol.</param>
    /// <param name="name">The attribute's class name, such as <c>NoAllocAttribute</c>.</param>
    internal static IEnumerable<AttributeData> Annotated(this ISymbol symbol, string name) =>
        symbol.GetAttributes().Where(a => a.AttributeClass.Is(Annotations, name));

    /// <summary>Whether the symbol carries the annotation.</summary>
    internal static bool Has(this ISymbol symbol, string name) => symbol.Annotated(name).Any();

    /// <summary>Whether the symbol, its property or a member or type around it carries the annotation.</summary>
    internal static bool IsWithin(this ISymbol? symbol, string name)
    {
        for (ISymbol? at = symbol; at is not null and not INamespaceSymbol; at = at.ContainingSymbol)
        {
            if (at.Has(name) || ((at as IMethodSymbol)?.AssociatedSymbol?.Has(name) ?? false))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first argument of an annotation, as text.</summary>
    internal static string? Text(this AttributeData attribute) =>
        attribute.ConstructorArguments.Length > 0 ? attribute.ConstructorArguments[0].Value as string : null;

    /// <summary>Whether the type is the guest's errno.</summary>
    internal static bool IsErrno(this ITypeSymbol? type) => type.Is("CVisor.Abi", "Errno");

    /// <summary>Whether the type is the host's errno.</summary>
    internal static bool IsHostErrno(this ITypeSymbol? type) => type.Is("CVisor.Host", "HostErrno");

    /// <summary>Whether the type is the result of a host call.</summary>
    internal static bool IsHostResult(this ITypeSymbol? type) => type.Is("CVisor.Host", "HostResult");

    /// <summary>The operation below conversions and parentheses.</summary>
    internal static IOperation Bare(this IOperation operation)
    {
        while (true)
        {
            switch (operation)
            {
                case IConversionOperation conversion:
                    operation = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    operation = parenthesized.Operand;
                    break;
                default:
                    return operation;
            }
        }
    }
}
