// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;
using CVisor.Tests.Support;

namespace CVisor.Repo.Tests;

/// <summary>Machine code that is committed as bytes: these must be what the source beside them says, and what the reviewed disassembly shows.</summary>
public sealed partial class MachineCodeTests
{
    private const string SourceEnd = ".x64.s", DisassemblyEnd = ".x64.disasm.verified.txt";

    /// <summary>Every assembler source, from the root and without its ending.</summary>
    public static TheoryData<string> Stems => [.. Tree.Files.Where(static f => f.EndsWith(SourceEnd, StringComparison.Ordinal)).Select(static f => f[..^SourceEnd.Length])];

    [GeneratedRegex("0x([0-9a-f]{2}),")]
    private static partial Regex ByteLiteral();

    [GeneratedRegex("^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)", RegexOptions.Multiline)]
    private static partial Regex CodeLine();

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
        foreach (string tool in new[] { "as", "ld", "objdump", "strip", "od" })
        {
            Requirements.NeedCommand(tool);
        }

        string folder = Path.GetDirectoryName(Tree.Full(stem))!;
        string name = Path.GetFileName(stem);
        string copy = Directory.CreateTempSubdirectory("cvisor-code-").FullName;
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder).Where(static f => !f.EndsWith(".cs", StringComparison.Ordinal) && !f.EndsWith(".verified.txt", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }

            await Command.MustAsync("bash", Path.Combine(copy, "assemble.sh"));

            // Instructions, not whole files: linkers of different versions lay out the rest of a shared object differently.
            Shown(await File.ReadAllTextAsync(Path.Combine(copy, name + DisassemblyEnd))).ShouldBe(Shown(await File.ReadAllTextAsync(Disassembly(stem))));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static string Disassembly(string stem) => Tree.Full(stem + DisassemblyEnd);

    private static string Generated(string stem) => Tree.Full(stem + "X64.cs");

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
}
