// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;
using CVisor.Tests.Support;

namespace CVisor.Repo.Tests;

/// <summary>Machine code is committed as bytes: these must be what the source beside them says, and what the reviewed disassembly shows.</summary>
public sealed partial class MachineCodeTests
{
    private const string SourceEnd = ".x64.s";

    /// <summary>Every assembler source, from the root and without its ending.</summary>
    public static TheoryData<string> Stems => [.. Tree.Files.Where(static f => f.EndsWith(SourceEnd, StringComparison.Ordinal)).Select(static f => f[..^SourceEnd.Length])];

    [GeneratedRegex("0x([0-9a-f]{2}),")]
    private static partial Regex ByteLiteral();

    [GeneratedRegex("^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)", RegexOptions.Multiline)]
    private static partial Regex CodeLine();

    [GeneratedRegex("^namespace (.+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex("const int ([A-Za-z0-9]+) = ([0-9a-fx]+);")]
    private static partial Regex Offset();

    [Theory]
    [MemberData(nameof(Stems))]
    public void The_reviewed_disassembly_is_of_the_committed_bytes(string stem)
    {
        byte[] code = [.. ByteLiteral().Matches(File.ReadAllText(Generated(stem))).Select(static m => Convert.ToByte(m.Groups[1].Value, 16))];
        SortedDictionary<int, byte> shown = Shown(File.ReadAllText(Disassembly(stem)));
        shown.Count.ShouldBeGreaterThan(64);
        shown.Where(b => b.Key >= code.Length || code[b.Key] != b.Value).Select(static b => $"{b.Key:x}").ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Stems))]
    public async Task The_source_gives_the_committed_code(string stem)
    {
        foreach (string tool in new[] { "as", "ld", "objcopy", "objdump", "nm", "strip", "od" })
        {
            Requirements.NeedCommand(tool);
        }

        string folder = Path.GetDirectoryName(Tree.Full(stem))!;
        string name = Path.GetFileName(stem);
        string copy = Directory.CreateTempSubdirectory("cvisor-code-").FullName;
        try
        {
            // The folder lies in the copy where it lies here: a script may call the one that kernel/Host has for all.
            const string Shared = "kernel/Host/Code/assemble.sh";
            string work = Path.Combine(copy, Path.GetDirectoryName(stem)!);
            Directory.CreateDirectory(work);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy, Shared))!);
            File.Copy(Tree.Full(Shared), Path.Combine(copy, Shared));
            foreach (string file in Directory.EnumerateFiles(folder).Where(static f => !f.EndsWith(".cs", StringComparison.Ordinal) && !f.EndsWith(".verified.txt", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true);
            }

            string own = Path.Combine(work, "assemble.sh");
            string space = Namespace().Match(await File.ReadAllTextAsync(Generated(stem))).Groups[1].Value;
            await Command.MustAsync("bash", File.Exists(own) ? own : Path.Combine(copy, Shared), Path.Combine(work, name + SourceEnd), space);

            // Instructions and symbols, not whole files: linkers of different versions lay out the rest of a shared object differently.
            Shown(await File.ReadAllTextAsync(Disassembly(Path.Combine(work, name)))).ShouldBe(Shown(await File.ReadAllTextAsync(Disassembly(stem))));
            Offsets(Generated(Path.Combine(work, name))).ShouldBe(Offsets(Generated(stem)));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static string Disassembly(string stem) => Tree.Full(stem + ".x64.disasm.verified.txt");

    private static string Generated(string stem) => File.Exists(Tree.Full(stem + ".X64.cs")) ? Tree.Full(stem + ".X64.cs") : Tree.Full(stem + "X64.cs");

    /// <summary>Address and value of each byte that a disassembly shows.</summary>
    private static SortedDictionary<int, byte> Shown(string disassembly)
    {
        SortedDictionary<int, byte> bytes = [];
        foreach (Match line in CodeLine().Matches(disassembly))
        {
            int address = int.Parse(line.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            foreach (string value in line.Groups[2].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                bytes[address++] = Convert.ToByte(value, 16);
            }
        }

        return bytes;
    }

    private static string[] Offsets(string file) => [.. Offset().Matches(File.ReadAllText(file)).Select(static m => m.Value)];
}
