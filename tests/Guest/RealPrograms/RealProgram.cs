// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>One script over programs of a Debian: an applet line of busybox.txt, or a file of scripts/.</summary>
/// <param name="Name">Its name; applets are called <c>busybox/NAME</c>.</param>
/// <param name="Needs">The commands that must be installed.</param>
/// <param name="Command">The command that runs it, with a clean environment, in a fresh folder.</param>
/// <param name="IsForHostRoot">Whether it is for the host's root alone: what it needs is too large for a root made for a test.</param>
public sealed record RealProgram(string Name, IReadOnlyList<string> Needs, IReadOnlyList<string> Command, bool IsForHostRoot = false)
{
    private const string NeedsStart = "# needs: ", HostRootLine = "# root: host";
    private const string BusyboxPath = "/bin/busybox";

    // The folder is removed by a name that no script can change: scripts also run natively, as root, and may go elsewhere with cd.
    private const string InFreshFolder =
        "fresh_folder=$(mktemp -d) || exit 99\nreadonly fresh_folder\ncd \"$fresh_folder\" || exit 99\n" +
        "trap 'cd /; rm -rf \"${fresh_folder:?}\"' EXIT\n";

    private static readonly string s_folder = Path.Combine(RepositoryPaths.Root, "tests", "Guest", "RealPrograms");

    /// <summary>Every script, by name.</summary>
    public static IReadOnlyList<RealProgram> All { get; } = [.. Applets(), .. Scripts()];

    /// <summary>Finds a script by its name.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The script.</returns>
    public static RealProgram ByName(string name) => All.Single(program => program.Name == name);

    private static IEnumerable<RealProgram> Applets()
    {
        foreach (string line in File.ReadLines(Path.Combine(s_folder, "busybox.txt")))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                string[] parts = line.Split(": ", 2);
                yield return new RealProgram("busybox/" + parts[0], [BusyboxPath], Wrap($"b={BusyboxPath}\n{parts[1]}", BusyboxPath, "sh"));
            }
        }
    }

    private static IEnumerable<RealProgram> Scripts()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(s_folder, "scripts"), "*.sh").Order(StringComparer.Ordinal))
        {
            string text = File.ReadAllText(path);
            string[] lines = text.Split('\n');
            string? line = lines.FirstOrDefault(l => l.StartsWith(NeedsStart, StringComparison.Ordinal));
            string[] needs = line is null ? [] : line[NeedsStart.Length..].Split(' ');
            yield return new RealProgram(Path.GetFileNameWithoutExtension(path), needs, Wrap(text, "/bin/sh"), lines.Contains(HostRootLine));
        }
    }

    private static string[] Wrap(string script, params string[] shell) =>
    [
        "/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C", "TZ=UTC", .. shell, "-c",
        $"{InFreshFolder}{script}",
    ];
}
