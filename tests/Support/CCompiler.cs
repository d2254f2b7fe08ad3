// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace CVisor.Tests.Support;

/// <summary>Compiles C sources of the tests with gcc, once per content: the output is kept beside a hash of everything it depends on.</summary>
public static class CCompiler
{
    // -Wno: the programs pass wild pointers and ignore results on purpose.
    private static readonly string[] s_baseFlags =
    [
        "-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-stringop-overflow", "-Wno-stringop-overread", "-Wno-nonnull",
        "-Wno-unused-result", "-Wno-missing-field-initializers", "-Wno-unused-variable",
    ];

    // One compilation of an output at a time: classes of tests run side by side.
    private static readonly ConcurrentDictionary<string, SemaphoreSlim> s_outputs = new();

    /// <summary>Compiles one source file unless the output is already that of the same source, headers and flags.</summary>
    /// <param name="source">The C file; a line <c>// cflags: ...</c> in it adds options (<c>-static</c> or <c>-dynamic</c> replace the
    /// default <c>-static-pie</c>).</param>
    /// <param name="output">The executable to make.</param>
    /// <exception cref="InvalidOperationException">The compiler refused it.</exception>
    public static async Task CompileAsync(string source, string output)
    {
        SemaphoreSlim one = s_outputs.GetOrAdd(output, static _ => new SemaphoreSlim(1));
        await one.WaitAsync().ConfigureAwait(false);
        try
        {
            await CompileAloneAsync(source, output).ConfigureAwait(false);
        }
        finally
        {
            one.Release();
        }
    }

    private static async Task CompileAloneAsync(string source, string output)
    {
        string text = await File.ReadAllTextAsync(source).ConfigureAwait(false);
        List<string> own = [.. HeaderWords(text, "cflags")];
        bool isStaticPie = !own.Contains("-static") && !own.Contains("-dynamic");
        own.Remove("-dynamic");
        string[] flags = [.. s_baseFlags, .. isStaticPie ? ["-static-pie"] : Array.Empty<string>()];

        // gcc searches libraries in order: the source goes before its own -l options.
        string[] arguments = [.. flags, "-o", output + ".new", source, .. own];
        string hash = Hash(text, source, arguments);
        string hashPath = output + ".hash";
        if (File.Exists(output) && File.Exists(hashPath) && await File.ReadAllTextAsync(hashPath).ConfigureAwait(false) == hash)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        CommandResult result = await Command.RunAsync("gcc", arguments, timeout: TimeSpan.FromMinutes(2)).ConfigureAwait(false);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"gcc {string.Join(' ', arguments)}: {result}");
        }

        // Renamed into place: a running copy of the old program is left alone.
        File.Move(output + ".new", output, overwrite: true);
        await File.WriteAllTextAsync(hashPath, hash).ConfigureAwait(false);
    }

    /// <summary>The words of a <c>// key: words...</c> line among a source's first lines.</summary>
    /// <param name="text">The source.</param>
    /// <param name="key">The key.</param>
    /// <returns>The words of all such lines, in order.</returns>
    public static IEnumerable<string> HeaderWords(string text, string key)
    {
        ArgumentNullException.ThrowIfNull(text);
        string start = $"// {key}:";
        return text.Split('\n').TakeWhile(line => line.StartsWith("//", StringComparison.Ordinal))
            .Where(line => line.StartsWith(start, StringComparison.Ordinal))
            .SelectMany(line => line[start.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private static string Hash(string text, string source, string[] arguments)
    {
        // The headers of the same tree are few and shared: all of them count.
        DirectoryInfo? top = Directory.GetParent(source)!.Parent;
        IEnumerable<string> headers = top is null ? [] : top.EnumerateFiles("*.h").OrderBy(h => h.Name, StringComparer.Ordinal)
            .Select(h => File.ReadAllText(h.FullName));
        string whole = string.Join('\0', [text, string.Join(' ', arguments), .. headers]);
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(whole)));
    }
}
