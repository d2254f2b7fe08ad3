// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;

namespace CVisor.Benchmarks.Guest;

/// <summary>Makes the input of the macro figures, the same every time.</summary>
internal static class MacroInput
{
    private const int LargeFunctions = 100; // of twenty lines each
    private const int ProjectFiles = 12;
    private const int ProjectFunctions = 15;
    private const int SmallFiles = 10_000;
    private const int RepositoryFiles = 5_000;
    private const int FilesInFolder = 100;
    private const int Inserts = 10_000;
    private const int InsertsInTransaction = 100;

    // Long before the index of the repository is written: git reads a file again that is not older than the index.
    private static readonly DateTime s_fileTime = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Writes large.c, project/, files/, inserts.sql and, where git is installed, repository/.</summary>
    /// <param name="folder">Where.</param>
    /// <returns>A task.</returns>
    public static async Task WriteAsync(string folder)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "large.c"), Functions("large", LargeFunctions));
        await WriteProjectAsync(Path.Combine(folder, "project"));
        await WriteFilesAsync(Path.Combine(folder, "files"), SmallFiles);
        await File.WriteAllTextAsync(Path.Combine(folder, "inserts.sql"), Sql());
        if (Requirements.Find("git") is { } git)
        {
            string repository = Path.Combine(folder, "repository");
            await WriteFilesAsync(repository, RepositoryFiles);
            string[] identity = ["-C", repository, "-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"];
            foreach (string[] command in (string[][])[["init", "-q"], ["add", "."], ["commit", "-q", "-m", "files"], ["update-index", "--refresh"]])
            {
                await Command.MustAsync(git, [.. identity, .. command]);
            }
        }
    }

    private static async Task WriteProjectAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        StringBuilder main = new("#include <stdio.h>\n");
        StringBuilder sum = new();
        for (int i = 0; i < ProjectFiles; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, $"part{i}.c"), Functions($"part{i}", ProjectFunctions));
            main.Append(CultureInfo.InvariantCulture, $"int part{i}_0(int *a, int n);\n");
            sum.Append(CultureInfo.InvariantCulture, $" + part{i}_0(a, 8)");
        }

        main.Append(CultureInfo.InvariantCulture, $"int main(void) {{ int a[8] = {{1}}; return printf(\"%d\\n\", 0{sum}) < 0; }}\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "main.c"), main.ToString());
        await File.WriteAllTextAsync(
            Path.Combine(folder, "Makefile"),
            "objects = $(patsubst %.c,%.o,$(wildcard *.c))\nprogram: $(objects)\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -O1 -c -o $@ $<\n");
    }

    // Functions of twenty lines that an optimizer has something to do with. The first calls the rest.
    private static string Functions(string prefix, int count)
    {
        StringBuilder text = new();
        for (int i = count - 1; i >= 0; i--)
        {
            string rest = i == count - 1 ? "s" : $"{prefix}_{i + 1}(a, n) ^ s";
            text.Append(CultureInfo.InvariantCulture, $$"""
                int {{prefix}}_{{i}}(int *a, int n) {
                    int s = {{i * 7}};
                    for (int i = 0; i < n; i++) {
                        a[i] = a[i] * {{i + 3}} + s;
                        switch (a[i] % 5) {
                        case 0: s += a[i] >> 1; break;
                        case 1: s ^= a[i] << 2; break;
                        case 2: s -= {{i * 13}}; break;
                        default: s = s * 31 + i;
                        }
                    }
                    for (int i = 0; i + 1 < n; i++) {
                        if (a[i] > a[i + 1]) {
                            int t = a[i];
                            a[i] = a[i + 1];
                            a[i + 1] = t + {{i}};
                        }
                    }
                    return {{rest}};
                }

                """);
        }

        return text.ToString();
    }

    private static async Task WriteFilesAsync(string folder, int count)
    {
        for (int i = 0; i < count; i++)
        {
            string parent = Path.Combine(folder, $"d{i / FilesInFolder}");
            Directory.CreateDirectory(parent);
            string path = Path.Combine(parent, $"file{i}.txt");
            await File.WriteAllTextAsync(path, string.Concat(Enumerable.Repeat($"line of file {i}\n", 1 + (i * 37 % 100))));
            File.SetLastWriteTimeUtc(path, s_fileTime);
        }
    }

    private static string Sql()
    {
        StringBuilder text = new("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);\nCREATE INDEX names ON t(name);\n");
        for (int i = 0; i < Inserts; i++)
        {
            text.Append(i % InsertsInTransaction == 0 ? "BEGIN;\n" : "");
            text.Append(CultureInfo.InvariantCulture, $"INSERT INTO t(name, value) VALUES('name {i * 7919 % Inserts}', {i}.5);\n");
            text.Append(i % InsertsInTransaction == InsertsInTransaction - 1 ? "COMMIT;\n" : "");
        }

        return text.ToString();
    }
}
