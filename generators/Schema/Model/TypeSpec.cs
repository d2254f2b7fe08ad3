// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>What a name in the types section means.</summary>
/// <param name="Name">The name.</param>
/// <param name="CSharp">The C# type of a scalar, "ptr" for a guest address, empty for what lives in guest memory only.</param>
/// <param name="Format">How a trace prints it; empty for a structure with fields.</param>
/// <param name="Packed">Whether fields follow each other without alignment.</param>
/// <param name="Fields">The fields of a structure.</param>
public sealed record TypeSpec(string Name, string CSharp, string Format, bool Packed, EquatableArray<FieldSpec> Fields);

/// <summary>One field of a guest structure.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">A type or flag set; empty for padding.</param>
/// <param name="Padding">The number of bytes to skip, for padding.</param>
public sealed record FieldSpec(string Name, string Type, int Padding);
