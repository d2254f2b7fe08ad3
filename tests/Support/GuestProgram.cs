// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Tests.Support;

/// <summary>One C program under tests/Guest/programs, as its first lines describe it.</summary>
/// <param name="Name">Its name: <c>family/name</c>.</param>
/// <param name="Source">The path of its source.</param>
/// <param name="Syscalls">The calls it exercises, from its <c>// syscalls:</c> line.</param>
/// <param name="Needs">What it needs of the machine natively, from its <c>// needs:</c> line.</param>
public sealed record GuestProgram(string Name, string Source, IReadOnlyList<string> Syscalls, IReadOnlyList<string> Needs)
{
    /// <summary>Every guest program of the repository, by name.</summary>
    public static IReadOnlyList<GuestProgram> All { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryPaths.GuestPrograms, "*.c", SearchOption.AllDirectories)
            .Select(Read).OrderBy(program => program.Name, StringComparer.Ordinal),
    ];

    /// <summary>Finds a program by its name.</summary>
    /// <param name="name"><c>family/name</c>.</param>
    /// <returns>The program.</returns>
    public static GuestProgram ByName(string name) => All.Single(program => program.Name == name);

    private static GuestProgram Read(string path)
    {
        string text = File.ReadAllText(path);
        string name = Path.ChangeExtension(Path.GetRelativePath(RepositoryPaths.GuestPrograms, path), null);
        return new GuestProgram(name, path, [.. CCompiler.HeaderWords(text, "syscalls")], [.. CCompiler.HeaderWords(text, "needs")]);
    }
}
