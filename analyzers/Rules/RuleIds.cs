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

    /// <summary>A host call that the process role's filter does not allow.</summary>
    public const string HostCallNotInFilter = "CV1004";

    /// <summary>A member of kernel/Host that does not declare a host call it makes.</summary>
    public const string HostCallNotDeclared = "CV1005";

    /// <summary>An exception on a path that a guest reaches.</summary>
    public const string ExceptionOnGuestPath = "CV2001";

    /// <summary>A guest errno confused with a host errno.</summary>
    public const string ErrnoConfusion = "CV2002";

    /// <summary>A narrowing cast of a guest's value.</summary>
    public const string GuestNarrowing = "CV2003";

    /// <summary>An error that is returned and not looked at.</summary>
    public const string ResultIgnored = "CV2004";

    /// <summary>A guarded field touched without its lock.</summary>
    public const string GuardedField = "CV3001";

    /// <summary>A method called without the lock it requires.</summary>
    public const string LockRequired = "CV3002";

    /// <summary>An allocation in a method that must not make one.</summary>
    public const string Allocation = "CV4001";

    /// <summary>An ABI struct whose layout, fields or size are wrong.</summary>
    public const string AbiStruct = "CV5001";

    /// <summary>A file of more than 600 lines.</summary>
    public const string LongFile = "CV9001";

    /// <summary>A file without the licence header.</summary>
    public const string FileHeader = "CV9002";

    /// <summary>The documentation page of a rule, relative to the repository's root.</summary>
    /// <param name="id">The rule's number.</param>
    public static string HelpLink(string id) => "analyzers/Docs/" + id + ".md";
}
