// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Seccomp.Ir;

namespace CVisor.Generators.Seccomp.Emit;

/// <summary>One classic BPF instruction (struct sock_filter).</summary>
/// <param name="Code">The operation.</param>
/// <param name="Jt">Instructions to skip when a comparison holds.</param>
/// <param name="Jf">Instructions to skip when it does not.</param>
/// <param name="K">The constant.</param>
/// <param name="Errno">For a return: the errno to add to the constant, by name; else empty.</param>
/// <param name="Slot">What the installer writes into the constant, if anything.</param>
public sealed record Instruction(ushort Code, byte Jt, byte Jf, uint K, string Errno, FilterSlot? Slot)
{
    /// <summary>BPF_LD | BPF_W | BPF_ABS: loads the word at K.</summary>
    public const ushort Load = 0x20;

    /// <summary>BPF_ALU | BPF_AND | BPF_K.</summary>
    public const ushort And = 0x54;

    /// <summary>BPF_JMP | BPF_JA: skips K instructions.</summary>
    public const ushort Jump = 0x05;

    /// <summary>BPF_JMP | BPF_JEQ | BPF_K.</summary>
    public const ushort JumpEqual = 0x15;

    /// <summary>BPF_JMP | BPF_JGT | BPF_K.</summary>
    public const ushort JumpGreater = 0x25;

    /// <summary>BPF_JMP | BPF_JGE | BPF_K.</summary>
    public const ushort JumpGreaterOrEqual = 0x35;

    /// <summary>BPF_JMP | BPF_JSET | BPF_K.</summary>
    public const ushort JumpAnyBit = 0x45;

    /// <summary>BPF_RET | BPF_K.</summary>
    public const ushort Return = 0x06;

    /// <summary>SECCOMP_RET_ALLOW.</summary>
    public const uint ReturnAllow = 0x7fff_0000;

    /// <summary>SECCOMP_RET_ERRNO; the errno is or-ed to it.</summary>
    public const uint ReturnErrno = 0x0005_0000;

    /// <summary>SECCOMP_RET_TRAP.</summary>
    public const uint ReturnTrap = 0x0003_0000;

    /// <summary>SECCOMP_RET_KILL_PROCESS.</summary>
    public const uint ReturnKillProcess = 0x8000_0000;

    /// <summary>An instruction that does not jump.</summary>
    public static Instruction Plain(ushort code, uint k) => new(code, 0, 0, k, "", null);
}
