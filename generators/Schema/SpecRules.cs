// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Schema;

/// <summary>The rules of syscalls.yaml: area CV0xxx.</summary>
public static class SpecRules
{
    /// <summary>The file is not YAML, or a section has the wrong shape.</summary>
    public const string Malformed = "CV0001";

    /// <summary>A row has an unknown key, lacks one, or a value does not parse.</summary>
    public const string BadRow = "CV0002";

    /// <summary>Two calls of one architecture share a number.</summary>
    public const string DuplicateNumber = "CV0003";

    /// <summary>An argument, field or condition names a type, flag set or call that does not exist.</summary>
    public const string UnknownName = "CV0004";

    /// <summary>A type or flag set that nothing refers to.</summary>
    public const string Unused = "CV0005";

    /// <summary>A partial row without a note.</summary>
    public const string MissingNote = "CV0006";

    /// <summary>Rows of a family out of order.</summary>
    public const string Unsorted = "CV0007";

    /// <summary>A filter rule that can never decide, or contradicts another.</summary>
    public const string UnreachableRule = "CV0008";

    /// <summary>A generator was asked for an output it does not have, or found no syscalls.yaml.</summary>
    public const string Configuration = "CV0009";
}
