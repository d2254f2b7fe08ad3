// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>What an operation calls, and which host calls that is marked with.</summary>
internal static class HostCalls
{
    /// <summary>The kinds of operation that run a member's code.</summary>
    internal static readonly OperationKind[] Uses = [OperationKind.Invocation, OperationKind.ObjectCreation, OperationKind.PropertyReference, OperationKind.MethodReference];

    /// <summary>The members whose code the operation runs or hands on.</summary>
    internal static IEnumerable<ISymbol> Targets(IOperation operation)
    {
        switch (operation)
        {
            case IInvocationOperation invocation:
                yield return invocation.TargetMethod.OriginalDefinition;
                break;
            case IObjectCreationOperation { Constructor: { } constructor }:
                yield return constructor.OriginalDefinition;
                break;
            case IMethodReferenceOperation reference:
                yield return reference.Method.OriginalDefinition;
                break;
            case IPropertyReferenceOperation reference:
                IPropertySymbol property = reference.Property.OriginalDefinition;
                yield return property;
                if (property.GetMethod is { } get)
                {
                    yield return get;
                }

                if (property.SetMethod is { } set)
                {
                    yield return set;
                }

                break;
        }
    }

    /// <summary>The host calls that the member is marked with.</summary>
    internal static IEnumerable<string> Declared(ISymbol member)
    {
        IEnumerable<AttributeData> marks = member.Annotated("HostCallAttribute");
        if (member is IMethodSymbol { AssociatedSymbol: { } owner })
        {
            marks = marks.Concat(owner.Annotated("HostCallAttribute"));
        }

        return marks.Select(static m => m.Text()).OfType<string>();
    }
}
