// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace CVisor.Analyzers;

/// <summary>
/// Which locks the code around an expression holds, by looking at the method alone: <c>lock</c>, <c>using</c> of a
/// scope, <c>Enter</c> … <c>Exit</c>, <c>finally { Exit }</c>, and what <c>[RequiresLock]</c> says the caller holds.
/// Locks are compared by how they are written.
/// </summary>
internal static class HeldLocks
{
    /// <summary>A lock as the place that needs it would write it.</summary>
    internal readonly struct Needed
    {
        /// <summary>How this place would write the lock.</summary>
        internal string Path { get; }

        /// <summary>Whether only the name is known: the lock belongs to another object, which has many names.</summary>
        internal bool IsNameOnly { get; }

        /// <summary>How an annotation elsewhere names it by its type (<c>TaskSet.Lock</c>); null when it has no type of its own.</summary>
        internal string? ByType { get; }

        internal Needed(string path, bool isNameOnly, string? byType)
        {
            Path = path;
            IsNameOnly = isNameOnly;
            ByType = byType;
        }

        internal bool Matches(string written) => written == Path || (IsNameOnly && LastSegment(written) == LastSegment(Path));

        internal bool MatchesAnnotation(string written) => Matches(written) || written == ByType;

        private static string LastSegment(string path) => path.Substring(path.LastIndexOf('.') + 1);
    }

    /// <summary>The lock that a use of a member needs.</summary>
    /// <param name="member">The guarded member.</param>
    /// <param name="lockName">What its annotation says.</param>
    /// <param name="receiver">How the object is written; empty for <c>this</c> and static members.</param>
    /// <param name="arguments">The arguments of a call: a lock may be named through a parameter.</param>
    internal static Needed Of(ISymbol member, string lockName, string receiver, IEnumerable<IArgumentOperation> arguments)
    {
        int dot = lockName.IndexOf('.');
        string first = dot < 0 ? lockName : lockName.Substring(0, dot);
        if (dot > 0 && arguments.FirstOrDefault(a => a.Parameter?.Name == first) is { } argument)
        {
            return new Needed(Join(Written(argument.Value.Syntax), lockName.Substring(dot + 1)), isNameOnly: false, null);
        }

        ISymbol? own = dot < 0 ? FindMember(member.ContainingType, lockName) : null;
        bool isShared = member.IsStatic || own is { IsStatic: true };
        return new Needed(Join(isShared ? "" : receiver, lockName), isNameOnly: own is null, own is null ? null : own.ContainingType.Name + "." + lockName);
    }

    /// <summary>Whether the use is of an object that no other thread can know yet: one under construction.</summary>
    internal static bool IsUnshared(IOperation? instance, ISymbol user) => instance switch
    {
        null => user is IMethodSymbol { MethodKind: MethodKind.StaticConstructor } or IFieldSymbol or IPropertySymbol,
        IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ImplicitReceiver } => true,
        IInstanceReferenceOperation => user is IMethodSymbol { MethodKind: MethodKind.Constructor } or IFieldSymbol or IPropertySymbol,
        ILocalReferenceOperation local => local.Local.DeclaringSyntaxReferences
            .Select(static r => r.GetSyntax())
            .OfType<VariableDeclaratorSyntax>()
            .Any(static d => d.Initializer?.Value is BaseObjectCreationExpressionSyntax),
        _ => false,
    };

    /// <summary>How the object that an operation works on is written; empty for <c>this</c>.</summary>
    internal static string Receiver(IOperation? instance) => instance is null or IInstanceReferenceOperation ? "" : Written(instance.Syntax);

    /// <summary>Whether the lock is held where the node stands.</summary>
    internal static bool IsHeld(SyntaxNode node, Needed needed, SemanticModel model)
    {
        for (SyntaxNode at = node; at.Parent is { } parent; at = parent)
        {
            switch (parent)
            {
                case LockStatementSyntax held when at == held.Statement && needed.Matches(Written(held.Expression, model)):
                case UsingStatementSyntax scope when at == scope.Statement && Scopes(scope).Any(s => IsScope(s, needed, model)):
                case TryStatementSyntax tried when at == tried.Block && tried.Finally is { } last && last.DescendantNodes().Any(n => IsCall(n, needed, model, isEnter: false)):
                    return true;
                case BlockSyntax block when at is StatementSyntax statement && IsHeldBefore(block.Statements, statement, needed, model):
                case SwitchSectionSyntax section when at is StatementSyntax inSection && IsHeldBefore(section.Statements, inSection, needed, model):
                    return true;
                case AnonymousFunctionExpressionSyntax lambda when !RunsAtOnce(lambda, model):
                    return false;
                case LocalFunctionStatementSyntax or MemberDeclarationSyntax or AccessorDeclarationSyntax:
                    if (model.GetDeclaredSymbol(parent) is { } symbol && Required(symbol).Any(needed.MatchesAnnotation))
                    {
                        return true;
                    }

                    if (parent is LocalFunctionStatementSyntax or BaseTypeDeclarationSyntax)
                    {
                        return false;
                    }

                    break;
            }
        }

        return false;
    }

    /// <summary>The locks that the callers of a method or property hold, by its own annotations and those it overrides.</summary>
    internal static IEnumerable<string> Required(ISymbol symbol)
    {
        for (ISymbol? at = symbol; at is not null; at = at switch { IMethodSymbol m => m.OverriddenMethod, IPropertySymbol p => p.OverriddenProperty, _ => null })
        {
            foreach (AttributeData attribute in at.Annotated("RequiresLockAttribute"))
            {
                if (attribute.Text() is { } name)
                {
                    yield return name;
                }
            }

            if (at is IMethodSymbol { AssociatedSymbol: { } property })
            {
                foreach (string name in Required(property))
                {
                    yield return name;
                }
            }
        }
    }

    private static IEnumerable<ExpressionSyntax> Scopes(UsingStatementSyntax scope)
    {
        if (scope.Expression is { } expression)
        {
            yield return expression;
        }

        foreach (VariableDeclaratorSyntax variable in scope.Declaration?.Variables ?? default)
        {
            if (variable.Initializer is { } initializer)
            {
                yield return initializer.Value;
            }
        }
    }

    /// <summary>Whether the expression takes the lock for a scope: <c>_lock.EnterScope()</c>, or <c>store.Lock(id)</c> for a lock that is a method.</summary>
    private static bool IsScope(ExpressionSyntax expression, Needed needed, SemanticModel model) =>
        expression is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access }
        && (needed.Matches(Written(access.Expression, model)) || needed.Matches(Written(access)));

    /// <summary>Whether an earlier statement of the block took the lock and none between gave it back.</summary>
    private static bool IsHeldBefore(SyntaxList<StatementSyntax> statements, StatementSyntax statement, Needed needed, SemanticModel model)
    {
        for (int i = statements.IndexOf(statement) - 1; i >= 0; i--)
        {
            switch (statements[i])
            {
                case LocalDeclarationStatementSyntax { UsingKeyword.RawKind: (int)SyntaxKind.UsingKeyword } scope
                    when scope.Declaration.Variables.Any(v => v.Initializer is { } value && IsScope(value.Value, needed, model)):
                    return true;
                case ExpressionStatementSyntax { Expression: var expression }:
                    if (IsCall(expression, needed, model, isEnter: true))
                    {
                        return true;
                    }

                    if (IsCall(expression, needed, model, isEnter: false))
                    {
                        return false;
                    }

                    break;
                case TryStatementSyntax { Finally: { } last } when last.DescendantNodes().Any(n => IsCall(n, needed, model, isEnter: false)):
                    return false;
            }
        }

        return false;
    }

    private static bool IsCall(SyntaxNode node, Needed needed, SemanticModel model, bool isEnter)
    {
        if (node is not InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access } call)
        {
            return false;
        }

        string name = access.Name.Identifier.ValueText;
        bool isIt = isEnter
            ? name.StartsWith("Enter", StringComparison.Ordinal) || name.StartsWith("Acquire", StringComparison.Ordinal)
            : name.StartsWith("Exit", StringComparison.Ordinal) || name.StartsWith("Release", StringComparison.Ordinal);
        return isIt
            && (needed.Matches(Written(access.Expression, model))
                || (access.Expression.ToString() == "Monitor" && call.ArgumentList.Arguments.Count > 0 && needed.Matches(Written(call.ArgumentList.Arguments[0].Expression, model))));
    }

    /// <summary>Whether the lambda is handed to a function of the framework that runs it before it returns.</summary>
    private static bool RunsAtOnce(AnonymousFunctionExpressionSyntax lambda, SemanticModel model) =>
        lambda.Parent is ArgumentSyntax { Parent.Parent: InvocationExpressionSyntax call }
        && model.GetSymbolInfo(call).Symbol is IMethodSymbol { ContainingNamespace: { } home }
        && home.ToDisplayString() is "System" or "System.Collections.Generic" or "System.Linq" or "System.Collections.Immutable";

    private static ISymbol? FindMember(INamedTypeSymbol? type, string name)
    {
        for (INamedTypeSymbol? at = type; at is not null; at = at.BaseType)
        {
            if (at.GetMembers(name).FirstOrDefault() is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string Join(string receiver, string path) => receiver.Length == 0 ? path : receiver + "." + path;

    private static string Written(ExpressionSyntax expression, SemanticModel model) =>
        model.GetSymbolInfo(expression).Symbol is { IsStatic: true, Kind: SymbolKind.Field or SymbolKind.Property } shared ? shared.Name : Written(expression);

    private static string Written(SyntaxNode expression)
    {
        while (expression is ParenthesizedExpressionSyntax parenthesized)
        {
            expression = parenthesized.Expression;
        }

        string text = string.Concat(expression.DescendantTokens().Where(static t => !t.IsKind(SyntaxKind.ExclamationToken)).Select(static t => t.Text));
        return text.StartsWith("this.", StringComparison.Ordinal) ? text.Substring(5) : text == "this" ? "" : text;
    }
}
