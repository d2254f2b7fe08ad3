// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>Everything syscalls.yaml says of guest calls and host filters, without places: moving a row changes nothing here.</summary>
public sealed record Spec(
    EquatableArray<SyscallFamily> Families,
    EquatableArray<TypeSpec> Types,
    EquatableArray<FlagSet> Flags,
    EquatableArray<RoleFilterSpec> Filters);
