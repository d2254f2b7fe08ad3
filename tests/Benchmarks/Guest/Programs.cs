// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>The compiled measuring programs.</summary>
internal static class Programs
{
    /// <summary>What measures the micro figures inside.</summary>
    public static string Micro => Compiled("micro");

    /// <summary>What measures memory and CPU time from outside.</summary>
    public static string Idle => Compiled("idle");

    /// <summary>What measures a command's time inside.</summary>
    public static string Elapsed => Compiled("elapsed");

    /// <summary>A process of many waiting threads.</summary>
    public static string Blocked => Compiled("blocked");

    /// <summary>Compiles all of them.</summary>
    /// <returns>A task.</returns>
    public static async Task CompileAsync()
    {
        string sources = Path.Combine(RepositoryPaths.Root, "tests", "Benchmarks", "Guest", "programs");
        foreach (string program in (string[])[Micro, Idle, Elapsed, Blocked])
        {
            await CCompiler.CompileAsync(Path.Combine(sources, Path.GetFileName(program) + ".c"), program);
        }
    }

    private static string Compiled(string name) => Path.Combine(RepositoryPaths.Out, "bench", name);
}
