// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;
using CVisor.Tests.Support;

namespace CVisor.Generators.Tests;

/// <summary>The repository's own syscalls.yaml.</summary>
internal static class RepositorySpec
{
    public static readonly string Text = File.ReadAllText(Path.Combine(RepositoryPaths.Root, "syscalls.yaml"));

    public static readonly ParsedSpec Parsed = SpecParser.Parse(Text);

    public static RoleFilterSpec Role(string name) => Parsed.Spec.Filters.Single(f => f.Role == name);
}
