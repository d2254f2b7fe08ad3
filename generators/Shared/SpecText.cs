// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Generators.Shared;

/// <summary>The spec file as the compiler was given it.</summary>
/// <param name="Path">Its path, for diagnostics.</param>
/// <param name="Text">Its content.</param>
public sealed record SpecText(string Path, string Text);
