// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using CVisor.Tests.Support;

namespace CVisor.Repo.Tests;

/// <summary>The files that make up the repository.</summary>
internal static class Tree
{
    private static readonly string[] s_built = ["bin", "obj", "out", ".git", ".vs", "TestResults", "BenchmarkDotNet.Artifacts"];

    /// <summary>Paths from the root, with slashes, sorted: what git tracks or would; without git, all that was not built.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. (FromGit() ?? FromDisk("")).Where(static f => File.Exists(Full(f))).Order(StringComparer.Ordinal)];

    /// <summary>The text files: those without a NUL byte.</summary>
    public static IEnumerable<string> TextFiles => Files.Where(static f => !File.ReadAllBytes(Full(f)).Contains((byte)0));

    /// <summary>The C# files written by people: no golden files.</summary>
    public static IEnumerable<string> Sources => Files.Where(static f => f.EndsWith(".cs", StringComparison.Ordinal) && !f.Contains(".verified.", StringComparison.Ordinal));

    /// <summary>The path on disk.</summary>
    public static string Full(string file) => Path.Combine(RepositoryPaths.Root, file);

    private static List<string>? FromGit()
    {
        if (!Path.Exists(Full(".git")))
        {
            return null;
        }

        ProcessStartInfo start = new("git", ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = RepositoryPaths.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process git = Process.Start(start)!;
            git.ErrorDataReceived += static (_, _) => { };
            git.BeginErrorReadLine();
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries)] : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no git on this machine.
            return null;
        }
    }

    private static IEnumerable<string> FromDisk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(Full(folder)))
        {
            yield return Path.GetRelativePath(RepositoryPaths.Root, file);
        }

        foreach (string below in Directory.EnumerateDirectories(Full(folder)))
        {
            if (!s_built.Contains(Path.GetFileName(below)))
            {
                foreach (string file in FromDisk(Path.GetRelativePath(RepositoryPaths.Root, below)))
                {
                    yield return file;
                }
            }
        }
    }
}
