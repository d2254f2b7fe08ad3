// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>Named values of an argument.</summary>
/// <param name="Name">The name of the set.</param>
/// <param name="CSharp">The C# type an argument of this set has.</param>
/// <param name="Format">How bits without a name are printed: "hex" or "oct".</param>
/// <param name="Mask">The bits the enum part is compared under.</param>
/// <param name="Enum">Values of which exactly one applies.</param>
/// <param name="Bits">Values that are or-ed together, wider ones first.</param>
/// <param name="Zero">The name of zero when no bit is set; empty for "0".</param>
public sealed record FlagSet(
    string Name,
    string CSharp,
    string Format,
    ulong Mask,
    EquatableArray<NamedValue> Enum,
    EquatableArray<NamedValue> Bits,
    string Zero);

/// <summary>A name and its value.</summary>
public sealed record NamedValue(string Name, ulong Value);
