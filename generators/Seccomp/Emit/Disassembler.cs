// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Generators.Seccomp.Ir;

namespace CVisor.Generators.Seccomp.Emit;

/// <summary>Prints a program for people: one instruction a line, jump targets as line numbers.</summary>
public static class Disassembler
{
    /// <summary>The text, LF between lines.</summary>
    public static string Print(IReadOnlyList<Instruction> program)
    {
        StringBuilder text = new();
        for (int i = 0; i < program.Count; i++)
        {
            text.Append(i.ToString(CultureInfo.InvariantCulture).PadLeft(4)).Append("  ").Append(Print(program[i], i)).Append('\n');
        }

        return text.ToString();
    }

    private static string Print(Instruction instruction, int at) => instruction.Code switch
    {
        Instruction.Load => "ld  " + Word((int)instruction.K),
        Instruction.And => "and " + Hex(instruction.K),
        Instruction.Jump => "jmp " + (at + 1 + instruction.K).ToString(CultureInfo.InvariantCulture),
        Instruction.JumpEqual => Branch("==", instruction, at),
        Instruction.JumpGreater => Branch(">", instruction, at),
        Instruction.JumpGreaterOrEqual => Branch(">=", instruction, at),
        Instruction.JumpAnyBit => Branch("&", instruction, at),
        _ => "ret " + Verdict(instruction),
    };

    private static string Branch(string test, Instruction instruction, int at)
    {
        string value = instruction.Slot is FilterSlot slot ? "$" + slot : Hex(instruction.K);
        return $"if  {test} {value} then {Target(at, instruction.Jt)} else {Target(at, instruction.Jf)}";
    }

    private static string Target(int at, byte skip) => (at + 1 + skip).ToString(CultureInfo.InvariantCulture);

    private static string Word(int offset)
    {
        if (offset == SeccompData.Number)
        {
            return "nr";
        }

        if (offset == SeccompData.Arch)
        {
            return "arch";
        }

        if (offset is SeccompData.CallerLow or SeccompData.CallerHigh)
        {
            return offset == SeccompData.CallerLow ? "caller.low" : "caller.high";
        }

        int argument = (offset - SeccompData.Low(0)) / 8;
        string half = offset == SeccompData.Low(argument) ? "low" : "high";
        return $"arg{argument.ToString(CultureInfo.InvariantCulture)}.{half}";
    }

    private static string Verdict(Instruction instruction) => instruction.K switch
    {
        Instruction.ReturnAllow => "allow",
        Instruction.ReturnErrno => "errno " + instruction.Errno,
        Instruction.ReturnTrap => "trap",
        _ => "kill_process",
    };

    private static string Hex(uint value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
