// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using CVisor.Generators.Shared;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.MachineCode;

/// <summary>Assembles the machine code that managed code cannot be.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class MachineCodeGenerator : IIncrementalGenerator
{
    /// <summary>The pieces of code, by the outputs that projects ask for.</summary>
    internal static IReadOnlyDictionary<string, Func<CodeImage>> Pieces { get; } = new Dictionary<string, Func<CodeImage>>(StringComparer.Ordinal)
    {
        [OutputNames.HostCode] = HostCode.Assemble,
        [OutputNames.StubCode] = StubCode.Assemble,
    };

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context) =>
        context.RegisterSourceOutput(GeneratorInputs.Outputs(context), static (production, names) =>
        {
            foreach (string name in names)
            {
                if (Pieces.TryGetValue(name, out Func<CodeImage>? assemble))
                {
                    production.AddSource(name + ".g.cs", CodeImage.Render(assemble()));
                }
            }
        });
}
