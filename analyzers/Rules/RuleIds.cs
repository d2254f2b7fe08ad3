// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Analyzers;

/// <summary>
/// The diagnostics' numbers. A number is never used again; the name is also that of the analyzer, the code fix and the
/// test class. Ranges: 0 schema and generators (theirs), 1 layering and unsafe code, 2 kernel semantics, 3 concurrency,
/// 4 performance, 5 ABI, 9 hygiene.
/// </summary>
public static class RuleIds
{
    /// <summary>Unsafe code outside a <c>*.Unsafe.cs</c> file.</summary>
    public const string UnsafeOutsideUnsafeFile = "CV1001";

    /// <summary>An unsafe operation without a <c>// SAFETY:</c> comment.</summary>
    public const string UnsafeWithoutSafetyComment = "CV1002";

    /// <summary>A native import outside kernel/Host.</summary>
    public const string NativeImportOutsideHost = "CV1003";

    /// <summary>The documentation page of a rule, relative to the repository's root.</summary>
    /// <param name="id">The rule's number.</param>
    public static string HelpLink(string id) => "analyzers/Docs/" + id + ".md";
}
