// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Abi.Arch;

/// <summary>struct user_regs_struct of x86_64 (arch/x86/include/asm/user_64.h): the general registers of a guest thread.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(216)]
public struct X64Registers
{
    public ulong R15;
    public ulong R14;
    public ulong R13;
    public ulong R12;
    public ulong Rbp;
    public ulong Rbx;
    public ulong R11;
    public ulong R10;
    public ulong R9;
    public ulong R8;
    public ulong Rax;
    public ulong Rcx;
    public ulong Rdx;
    public ulong Rsi;
    public ulong Rdi;
    public ulong OrigRax;
    public ulong Rip;
    public ulong Cs;
    public ulong Eflags;
    public ulong Rsp;
    public ulong Ss;
    public ulong FsBase;
    public ulong GsBase;
    public ulong Ds;
    public ulong Es;
    public ulong Fs;
    public ulong Gs;

    /// <summary>The user code segment of a 64-bit process.</summary>
    public const ulong UserCs = 0x33;

    /// <summary>The user stack segment.</summary>
    public const ulong UserSs = 0x2b;

    /// <summary>EFLAGS bits that a guest may set: CF PF AF ZF SF TF DF OF NT RF AC ID.</summary>
    public const ulong UserEflags = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x800 | 0x4000 | 0x10000 | 0x40000 | 0x200000;

    /// <summary>EFLAGS bits that are always set in user mode: the reserved bit 1 and IF.</summary>
    public const ulong FixedEflags = 0x202;
}
