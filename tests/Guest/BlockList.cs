// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>The cases that are known to fail on a platform: <c>program case # reason</c> a line in <c>blocklist.PLATFORM.txt</c>.</summary>
public sealed class BlockList
{
    private readonly Dictionary<(string Program, string Case), string> _entries = [];

    private BlockList()
    {
    }

    /// <summary>Every entry.</summary>
    public IEnumerable<(string Program, string Case)> Entries => _entries.Keys;

    /// <summary>Reads the list of one platform; a missing file is an empty list.</summary>
    /// <param name="platform">The platform.</param>
    /// <returns>The list.</returns>
    public static BlockList Load(string platform)
    {
        BlockList list = new();
        string path = Path.Combine(RepositoryPaths.Root, "tests", "Guest", $"blocklist.{platform}.txt");
        foreach (string line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            string[] parts = line.Split('#', 2, StringSplitOptions.TrimEntries);
            string[] words = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || parts.Length != 2 || parts[1].Length == 0)
            {
                throw new FormatException($"{path}: not 'program case # reason': {line}");
            }

            list._entries.Add((words[0], words[1]), parts[1]);
        }

        return list;
    }

    /// <summary>The cases of a program that are expected to fail.</summary>
    /// <param name="program">The program.</param>
    /// <returns>Their names.</returns>
    public IReadOnlySet<string> CasesOf(string program) =>
        _entries.Keys.Where(entry => entry.Program == program).Select(entry => entry.Case).ToHashSet();
}
