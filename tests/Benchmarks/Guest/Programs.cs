// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>The compiled measuring programs.</summary>
internal static class Programs
{
    /// <summary>What is measured inside.</summary>
    public static string Micro => Path.Combine(RepositoryPaths.Out, "bench", "micro");

    /// <summary>What measures memory from outside.</summary>
    public static string Idle => Path.Combine(RepositoryPaths.Out, "bench", "idle");

    /// <summary>Compiles both.</summary>
    /// <returns>A task.</returns>
    public static async Task CompileAsync()
    {
        string sources = Path.Combine(RepositoryPaths.Root, "tests", "Benchmarks", "Guest", "programs");
        await CCompiler.CompileAsync(Path.Combine(sources, "micro.c"), Micro);
        await CCompiler.CompileAsync(Path.Combine(sources, "idle.c"), Idle);
    }
}
