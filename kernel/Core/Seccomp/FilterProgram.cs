// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;

namespace CVisor.Core.Seccomp;

/// <summary>struct sock_filter: one instruction of classic BPF.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(8)]
public readonly record struct FilterInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Constant);

/// <summary>struct seccomp_data: what a filter sees of a system call.</summary>
/// <param name="Number">The call's number.</param>
/// <param name="Architecture">AUDIT_ARCH_*.</param>
/// <param name="InstructionPointer">The address behind the instruction.</param>
/// <param name="Arguments">The six arguments.</param>
public readonly record struct FilterData(int Number, uint Architecture, ulong InstructionPointer, Tasks.SyscallArgs Arguments)
{
    /// <summary>Its size in bytes.</summary>
    public const uint Size = 64;

    /// <summary>The 32-bit word at an aligned offset.</summary>
    internal uint Word(uint offset) => offset switch
    {
        0 => unchecked((uint)Number),
        4 => Architecture,
        8 => Low(InstructionPointer),
        12 => High(InstructionPointer),
        16 => Low(Arguments.A0),
        20 => High(Arguments.A0),
        24 => Low(Arguments.A1),
        28 => High(Arguments.A1),
        32 => Low(Arguments.A2),
        36 => High(Arguments.A2),
        40 => Low(Arguments.A3),
        44 => High(Arguments.A3),
        48 => Low(Arguments.A4),
        52 => High(Arguments.A4),
        56 => Low(Arguments.A5),
        _ => High(Arguments.A5),
    };

    private static uint Low(ulong value) => unchecked((uint)value);

    private static uint High(ulong value) => (uint)(value >> 32);
}

/// <summary>A checked classic BPF program over <see cref="FilterData"/> (seccomp(2), bpf(4)); running it always ends, since jumps only go forward.</summary>
public sealed class FilterProgram
{
    /// <summary>The longest program in instructions (BPF_MAXINSNS).</summary>
    public const int MaximumLength = 4096;

    private const int MemoryWords = 16;

    // The classes, sizes, modes and operations that seccomp knows (linux/bpf_common.h), as whole codes.
    private const int LoadWord = 0x20, LoadLength = 0x80, LoadIndexLength = 0x81, LoadConstant = 0x00, LoadIndexConstant = 0x01, LoadMemory = 0x60, LoadIndexMemory = 0x61;
    private const int Store = 0x02, StoreIndex = 0x03, ReturnConstant = 0x06, ReturnAccumulator = 0x16, ToIndex = 0x07, FromIndex = 0x87, Jump = 0x05, Negate = 0x84;
    private const int AluConstant = 0x04, AluIndex = 0x0c, JumpConstant = 0x05, JumpIndex = 0x0d;
    private const int Add = 0x00, Subtract = 0x10, Multiply = 0x20, Divide = 0x30, Or = 0x40, And = 0x50, ShiftLeft = 0x60, ShiftRight = 0x70, Xor = 0xa0;
    private const int IfEqual = 0x10, IfGreater = 0x20, IfNotLess = 0x30, IfAnySet = 0x40;

    private readonly FilterInstruction[] _program;

    private FilterProgram(FilterInstruction[] program) => _program = program;

    /// <summary>Its length in instructions.</summary>
    public int Length => _program.Length;

    /// <summary>Checks a program as Linux does (bpf_check_classic(), seccomp_check_filter()).</summary>
    /// <returns>The program, or null when it is malformed (EINVAL).</returns>
    public static FilterProgram? Create(FilterInstruction[] program)
    {
        if (program.Length is 0 or > MaximumLength || !(program[^1].Code is ReturnConstant or ReturnAccumulator))
        {
            return null;
        }

        // Which words are stored to on every way to an instruction: loading any other would read what was never written.
        ushort[] stored = new ushort[program.Length];
        Array.Fill(stored, ushort.MaxValue);
        ushort known = 0;
        for (int i = 0; i < program.Length; i++)
        {
            FilterInstruction one = program[i];
            known &= stored[i];
            if (!IsKnown(one, program.Length - i - 1))
            {
                return null;
            }

            switch ((int)one.Code)
            {
                case Store or StoreIndex:
                    known |= (ushort)(1 << (int)one.Constant);
                    break;
                case LoadMemory or LoadIndexMemory when (known & (1 << (int)one.Constant)) == 0:
                    return null;
                case Jump:
                    stored[i + 1 + (int)one.Constant] &= known;
                    known = ushort.MaxValue;
                    break;
                case int code when (code & 7) == Jump:
                    stored[i + 1 + one.JumpTrue] &= known;
                    stored[i + 1 + one.JumpFalse] &= known;
                    known = ushort.MaxValue;
                    break;
            }
        }

        return new FilterProgram(program);
    }

    /// <summary>Runs the program.</summary>
    /// <returns>SECCOMP_RET_* with its data.</returns>
    [NoAlloc]
    public uint Run(in FilterData data)
    {
        uint accumulator = 0;
        uint index = 0;
        Span<uint> memory = stackalloc uint[MemoryWords];
        memory.Clear();
        for (int at = 0; ; at++)
        {
            ref readonly FilterInstruction one = ref _program[at];
            switch ((int)one.Code)
            {
                case LoadWord:
                    accumulator = data.Word(one.Constant);
                    break;
                case LoadLength:
                    accumulator = FilterData.Size;
                    break;
                case LoadIndexLength:
                    index = FilterData.Size;
                    break;
                case LoadConstant:
                    accumulator = one.Constant;
                    break;
                case LoadIndexConstant:
                    index = one.Constant;
                    break;
                case LoadMemory:
                    accumulator = memory[(int)one.Constant];
                    break;
                case LoadIndexMemory:
                    index = memory[(int)one.Constant];
                    break;
                case Store:
                    memory[(int)one.Constant] = accumulator;
                    break;
                case StoreIndex:
                    memory[(int)one.Constant] = index;
                    break;
                case ToIndex:
                    index = accumulator;
                    break;
                case FromIndex:
                    accumulator = index;
                    break;
                case ReturnConstant:
                    return one.Constant;
                case ReturnAccumulator:
                    return accumulator;
                case Jump:
                    at += (int)one.Constant;
                    break;
                case Negate:
                    accumulator = unchecked(0 - accumulator);
                    break;
                default:
                    uint operand = (one.Code & 8) != 0 ? index : one.Constant;
                    if ((one.Code & 7) == Jump)
                    {
                        at += Holds(one.Code & 0xf0, accumulator, operand) ? one.JumpTrue : one.JumpFalse;
                        break;
                    }

                    if ((one.Code & 0xf0) == Divide && operand == 0)
                    {
                        return 0; // As the kernel's own machine: the program ends, and 0 kills.
                    }

                    accumulator = Compute(one.Code & 0xf0, accumulator, operand);
                    break;
            }
        }
    }

    private static bool Holds(int condition, uint a, uint b) => condition switch
    {
        IfEqual => a == b,
        IfGreater => a > b,
        IfNotLess => a >= b,
        _ => (a & b) != 0,
    };

    private static uint Compute(int operation, uint a, uint b) => unchecked(operation switch
    {
        Add => a + b,
        Subtract => a - b,
        Multiply => a * b,
        Divide => a / b,
        Or => a | b,
        And => a & b,
        ShiftLeft => a << (int)(b & 31),
        ShiftRight => a >> (int)(b & 31),
        _ => a ^ b,
    });

    /// <summary>Whether an instruction is one that seccomp has, with operands that make sense.</summary>
    /// <param name="one">The instruction.</param>
    /// <param name="following">How many come behind it.</param>
    private static bool IsKnown(in FilterInstruction one, int following)
    {
        uint k = one.Constant;
        switch ((int)one.Code)
        {
            case LoadWord:
                return k < FilterData.Size && (k & 3) == 0;
            case LoadLength or LoadIndexLength or LoadConstant or LoadIndexConstant or ToIndex or FromIndex or ReturnConstant or ReturnAccumulator or Negate:
                return true;
            case LoadMemory or LoadIndexMemory or Store or StoreIndex:
                return k < MemoryWords;
            case Jump:
                return k < following;
            default:
                int operation = one.Code & 0xf0;
                return (one.Code & ~0xf0) switch
                {
                    AluConstant => IsOperation(operation) && !(operation == Divide && k == 0) && !(operation is ShiftLeft or ShiftRight && k >= 32),
                    AluIndex => IsOperation(operation),
                    JumpConstant or JumpIndex => operation is IfEqual or IfGreater or IfNotLess or IfAnySet && one.JumpTrue < following && one.JumpFalse < following,
                    _ => false,
                };
        }
    }

    private static bool IsOperation(int operation) => operation is Add or Subtract or Multiply or Divide or Or or And or ShiftLeft or ShiftRight or Xor;
}
