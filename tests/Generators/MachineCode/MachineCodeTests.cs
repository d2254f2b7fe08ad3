// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.MachineCode;
using CVisor.Generators.Tests.Driver;
using CVisor.Tests.Support;

namespace CVisor.Generators.Tests.MachineCode;

/// <summary>The machine code that managed code cannot be: what comes out is what somebody has read.</summary>
public sealed class MachineCodeTests
{
    public static TheoryData<string> Names => [.. MachineCodeGenerator.Pieces.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_code_is_the_reviewed_one(string name) => Golden.Verify(CodeListing.Of(MachineCodeGenerator.Pieces[name]()), "txt", name);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_class_holds_the_code(string name)
    {
        CodeImage image = MachineCodeGenerator.Pieces[name]();
        string source = new GeneratorRun(RepositorySpec.Text, name).Source(name);
        source.ShouldContain($"internal static class {image.Name}\n");
        source.Split("0x").Length.ShouldBe(1 + image.Symbols.Count + image.Bytes.Count);
        foreach (CodeSymbol symbol in image.Symbols)
        {
            source.ShouldContain($"const int {symbol.Name} = 0x{symbol.Offset:x2};");
        }
    }

    [Fact]
    public void Offsets_that_the_code_knows_of_are_those_that_came_out()
    {
        CodeImage image = CodeImage.Assemble("N", "C", static (c, symbols) =>
        {
            c.cmp(Iced.Intel.AssemblerRegisters.rdx, symbols.Offset("Behind"));
            c.nop();
            symbols.Mark("Behind");
            c.ret();
            symbols.Mark("End");
        });
        image.Bytes.ToArray().ShouldBe([0x48, 0x83, 0xfa, 0x05, 0x90, 0xc3]);
        image.Symbols.ShouldBe([new CodeSymbol("Behind", 5), new CodeSymbol("End", 6)]);
    }

    [Fact]
    public void Small_constants_take_one_byte_in_the_accumulator_too()
    {
        CodeImage image = CodeImage.Assemble("N", "C", static (c, _) =>
        {
            c.cmp(Iced.Intel.AssemblerRegisters.eax, -128);
            c.cmp(Iced.Intel.AssemblerRegisters.rax, 128);
        });
        image.Bytes.ToArray().ShouldBe([0x83, 0xf8, 0x80, 0x48, 0x3d, 0x80, 0, 0, 0]);
    }
}
