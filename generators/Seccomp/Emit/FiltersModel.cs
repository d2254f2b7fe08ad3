// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using CVisor.Generators.Seccomp.Ir;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Emit;

/// <summary>The programs of all roles.</summary>
internal sealed record FiltersModel(EquatableArray<RoleModel> Roles)
{
    public static FiltersModel From(EquatableArray<RoleFilterSpec> filters) => new(filters.Select(RoleModel.From).ToEquatableArray());

    public static string Render(FiltersModel model) => Templates.Render("Filters", model);
}

/// <summary>One role's program.</summary>
/// <param name="Role">Its name in the spec.</param>
/// <param name="Identifier">Its name in C#.</param>
/// <param name="Calls">The calls its filter lets through, sorted.</param>
/// <param name="Instructions">The instructions as constant expressions.</param>
/// <param name="Slots">The instructions into which the installer writes.</param>
internal sealed record RoleModel(
    string Role,
    string Identifier,
    EquatableArray<string> Calls,
    EquatableArray<InstructionModel> Instructions,
    EquatableArray<SlotModel> Slots)
{
    public static RoleModel From(RoleFilterSpec role)
    {
        List<Instruction> program = Assembler.Assemble(ProgramBuilder.Build(role));
        string[] lines = Disassembler.Print(program).TrimEnd('\n').Split('\n');
        return new RoleModel(
            role.Role,
            Naming.Pascal(role.Role),
            role.Calls.Where(c => c.Match.Action == FilterAction.Allow || c.Otherwise.Action == FilterAction.Allow)
                .Select(c => c.Name).OrderBy(n => n, System.StringComparer.Ordinal).ToEquatableArray(),
            program.Select((instruction, i) => new InstructionModel(Expression(instruction), lines[i])).ToEquatableArray(),
            program.Select((instruction, i) => (instruction.Slot, Index: i)).Where(p => p.Slot is not null)
                .Select(p => new SlotModel(p.Index, p.Slot.ToString()!)).ToEquatableArray());
    }

    // struct sock_filter as one little-endian word: code, jt, jf, k. The errno's value is the enum's.
    private static string Expression(Instruction instruction)
    {
        ulong word = instruction.Code | ((ulong)instruction.Jt << 16) | ((ulong)instruction.Jf << 24) | ((ulong)instruction.K << 32);
        string literal = "0x" + word.ToString("x16", CultureInfo.InvariantCulture) + "UL";
        return instruction.Errno.Length == 0 ? literal : $"{literal} | ((ulong)global::CVisor.Abi.Errno.{instruction.Errno} << 32)";
    }
}

/// <summary>One instruction.</summary>
internal sealed record InstructionModel(string Expression, string Text);

/// <summary>An instruction whose constant the installer writes.</summary>
internal sealed record SlotModel(int Index, string Slot);
