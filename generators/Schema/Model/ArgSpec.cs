// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>Which way the bytes behind a guest pointer travel.</summary>
public enum PointerDirection
{
    /// <summary>Not a pointer to a described type.</summary>
    None,

    /// <summary>The kernel reads.</summary>
    In,

    /// <summary>The kernel writes.</summary>
    Out,

    /// <summary>The kernel reads, then writes.</summary>
    InOut,
}

/// <summary>One argument of a call.</summary>
/// <param name="Name">The name in the file (snake case).</param>
/// <param name="Type">The type or flag set named.</param>
/// <param name="Direction">None for a scalar, else how the memory pointed to is used.</param>
/// <param name="Count">For an array: a number, an argument's name or "ret"; else empty.</param>
public sealed record ArgSpec(string Name, string Type, PointerDirection Direction, string Count);
