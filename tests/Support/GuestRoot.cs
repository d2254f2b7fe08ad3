// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Tests.Support;

/// <summary>A small root file system that holds the compiled guest programs under /programs, and the launcher of native runs.</summary>
public static class GuestRoot
{
    private static readonly SemaphoreSlim s_compilers = new(Environment.ProcessorCount);

    /// <summary>The root's path on the host.</summary>
    public static string Folder { get; } = Create();

    /// <summary>Compiles a program into the root.</summary>
    /// <param name="program">The program.</param>
    /// <returns>Its path inside the root.</returns>
    public static async Task<string> AddAsync(GuestProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        await s_compilers.WaitAsync().ConfigureAwait(false);
        try
        {
            await CCompiler.CompileAsync(program.Source, $"{Folder}/programs/{program.Name}").ConfigureAwait(false);
        }
        finally
        {
            s_compilers.Release();
        }

        return $"/programs/{program.Name}";
    }

    /// <summary>Runs a program of this root natively.</summary>
    /// <param name="arguments">The program's path inside the root, and its arguments.</param>
    /// <param name="timeout">When it is killed.</param>
    /// <returns>How it ended.</returns>
    public static Task<CommandResult> RunNativelyAsync(IEnumerable<string> arguments, TimeSpan timeout) =>
        RunNativelyAsync(Folder, arguments, timeout);

    /// <summary>Runs a program of a root natively, in namespaces of its own (tests/Guest/native/launch.c says which).</summary>
    /// <param name="root">The root's path on the host.</param>
    /// <param name="arguments">The program's path inside the root, and its arguments.</param>
    /// <param name="timeout">When it is killed.</param>
    /// <returns>How it ended.</returns>
    public static async Task<CommandResult> RunNativelyAsync(string root, IEnumerable<string> arguments, TimeSpan timeout)
    {
        string launcher = Path.Combine(RepositoryPaths.Out, "guest", "launch");
        await s_compilers.WaitAsync().ConfigureAwait(false);
        try
        {
            string source = Path.Combine(RepositoryPaths.Root, "tests", "Guest", "native", "launch.c");
            await CCompiler.CompileAsync(source, launcher).ConfigureAwait(false);
        }
        finally
        {
            s_compilers.Release();
        }

        return await Command.RunAsync(launcher, [root, .. arguments], timeout: timeout).ConfigureAwait(false);
    }

    private static string Create()
    {
        string folder = Path.Combine(RepositoryPaths.Out, "guest", "root");
        foreach (string name in (string[])["proc", "sys", "dev", "tmp", "etc", "programs"])
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        File.WriteAllText(Path.Combine(folder, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
        File.WriteAllText(Path.Combine(folder, "etc", "group"), "root:x:0:\nnogroup:x:65534:\n");
        return folder;
    }
}
