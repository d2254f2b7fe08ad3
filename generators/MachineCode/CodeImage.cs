// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using CVisor.Generators.Shared;
using Iced.Intel;

namespace CVisor.Generators.MachineCode;

/// <summary>A piece of machine code, position independent, and where its symbols lie in it.</summary>
/// <param name="Namespace">The namespace of the class that holds it.</param>
/// <param name="Name">That class's name.</param>
/// <param name="Symbols">By place; several may lie at one.</param>
/// <param name="Bytes">The code.</param>
internal sealed record CodeImage(string Namespace, string Name, EquatableArray<CodeSymbol> Symbols, EquatableArray<byte> Bytes)
{
    /// <summary>How often code is assembled; two rounds are the rule.</summary>
    private const int MostRounds = 8;

    /// <summary>Assembles at address 0, again until the offsets that the code itself knows of are those that came out.</summary>
    /// <param name="space">The namespace of the class.</param>
    /// <param name="name">The class's name.</param>
    /// <param name="write">Writes all instructions.</param>
    public static CodeImage Assemble(string space, string name, Action<Assembler, CodeSymbols> write)
    {
        CodeSymbols symbols = new();
        for (int round = 0; round < MostRounds; round++)
        {
            Assembler assembler = new(64);
            CodeSymbols found = new(assembler, symbols);
            write(assembler, found);
            byte[] code = Encode(assembler.Instructions, out uint[] offsets);
            if (found.Settle(offsets, code.Length))
            {
                return new CodeImage(space, name, found.InOrder.ToEquatableArray(), code.ToEquatableArray());
            }

            symbols = found;
        }

        throw new InvalidOperationException($"{name}: the offsets do not settle");
    }

    /// <summary>The C# that holds it.</summary>
    public static string Render(CodeImage model) => Templates.Render("MachineCode", new
    {
        model.Namespace,
        model.Name,
        Symbols = model.Symbols.Select(static s => new { Name = s.Name, Offset = Hex(s.Offset) }).ToArray(),
        Lines = Enumerable.Range(0, (model.Bytes.Count + 15) / 16).Select(line => string.Join(" ", model.Bytes.Skip(line * 16).Take(16).Select(static b => Hex(b) + ","))).ToArray(),
    });

    private static string Hex(int value) => "0x" + value.ToString("x2", System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Encode(IEnumerable<Instruction> written, out uint[] offsets)
    {
        using MemoryStream stream = new();
        InstructionBlock block = new(new StreamCodeWriter(stream), written.Select(Shorten).ToList(), 0);
        if (!BlockEncoder.TryEncode(64, block, out string? error, out BlockEncoderResult result, BlockEncoderOptions.ReturnNewInstructionOffsets))
        {
            throw new InvalidOperationException(error);
        }

        offsets = result.NewInstructionOffsets;
        return stream.ToArray();
    }

    /// <summary>For the accumulator the assembler takes a form with four bytes of constant, where one of those for all registers has one.</summary>
    private static Instruction Shorten(Instruction instruction)
    {
        (Code code, Register register) = instruction.Code switch
        {
            Code.Cmp_EAX_imm32 => (Code.Cmp_rm32_imm8, Register.EAX),
            Code.Cmp_RAX_imm32 => (Code.Cmp_rm64_imm8, Register.RAX),
            Code.And_EAX_imm32 => (Code.And_rm32_imm8, Register.EAX),
            Code.Sub_EAX_imm32 => (Code.Sub_rm32_imm8, Register.EAX),
            Code.Sub_RAX_imm32 => (Code.Sub_rm64_imm8, Register.RAX),
            _ => (Code.INVALID, Register.None),
        };
        int value = unchecked((int)instruction.Immediate32);
        if (code == Code.INVALID || value is < sbyte.MinValue or > sbyte.MaxValue)
        {
            return instruction;
        }

        Instruction shorter = Instruction.Create(code, register, value);
        shorter.IP = instruction.IP; // Which label it has.
        return shorter;
    }
}

/// <summary>A named place in a piece of code.</summary>
internal sealed record CodeSymbol(string Name, int Offset);
