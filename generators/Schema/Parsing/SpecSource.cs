// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Schema.Model;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>Models together with the nodes they came from, for validation; the nodes do not outlive the parse.</summary>
internal sealed class SpecSource
{
    public List<SyscallFamily> Families { get; } = new();

    public List<Placed<SyscallRow>> Rows { get; } = new();

    public List<Placed<TypeSpec>> Types { get; } = new();

    public List<Placed<FlagSet>> Flags { get; } = new();

    public List<RoleFilterSpec> Filters { get; } = new();

    public List<Placed<CallFilter>> CallFilters { get; } = new();

    /// <summary>Every mention of a type or flag set: by an argument, a field.</summary>
    public List<TypeUse> Uses { get; } = new();
}

/// <summary>A model and the key it stands under.</summary>
internal sealed record Placed<T>(T Model, YamlNode Key, YamlNode Value);

/// <summary>A mention of a type name.</summary>
/// <param name="Type">The name mentioned.</param>
/// <param name="Node">Where.</param>
/// <param name="By">The row or type that mentions it.</param>
/// <param name="InMemory">Whether it stands behind a pointer or in a structure, where types without a C# type are allowed.</param>
internal sealed record TypeUse(string Type, YamlNode Node, string By, bool InMemory);
