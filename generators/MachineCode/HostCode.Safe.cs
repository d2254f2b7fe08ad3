// SPDX-License-Identifier: Apache-2.0
using System;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>Functions that may fault: each has in rcx what it returns then.</content>
internal sealed partial class HostCode
{
    /// <summary><c>long safe_copy(void *dst, const void *src, ulong len)</c>: bytes not copied (0 when all were).</summary>
    private void SafeCopy()
    {
        Label bytes = c.CreateLabel(), words = c.CreateLabel(), done = c.CreateLabel();
        symbols.Mark("SafeCopy");
        c.mov(rcx, rdx);
        c.cmp(rdx, 64);
        c.ja(bytes);
        c.cmp(rdx, 8);
        c.jb(bytes);

        // 8..64 bytes: whole quadwords, then an overlapping tail. On a fault rcx says more remains than may be true: the caller treats any remainder as a fault at its first page, which is what
        // it reports to the guest.
        c.Label(ref words);
        c.mov(rax, __[rsi]);
        c.mov(__[rdi], rax);
        c.add(rsi, 8);
        c.add(rdi, 8);
        c.sub(rcx, 8);
        c.cmp(rcx, 8);
        c.jae(words);
        c.test(rcx, rcx);
        c.jz(done);
        c.mov(rax, __[rsi + rcx - 8]);
        c.mov(__[rdi + rcx - 8], rax);
        c.Label(ref done);
        Succeed();

        c.Label(ref bytes);
        c.rep.movsb();
        Succeed();
    }

    /// <summary><c>long safe_zero(void *dst, ulong len)</c>: bytes not zeroed.</summary>
    private void SafeZero()
    {
        symbols.Mark("SafeZero");
        c.mov(rcx, rsi);
        c.xor(eax, eax);
        c.rep.stosb();
        c.ret();
    }

    /// <summary><c>long safe_load32(uint *p, uint *out)</c>: 0, or 4 on a fault.</summary>
    private void SafeLoad32()
    {
        symbols.Mark("SafeLoad32");
        c.mov(ecx, 4);
        c.mov(eax, __[rdi]);
        c.mov(__[rsi], eax);
        Succeed();
    }

    /// <summary><c>long safe_cas32(uint *p, uint expected, uint desired, uint *seen)</c>: 0, or 4 on a fault.</summary>
    private void SafeCas32()
    {
        symbols.Mark("SafeCas32");
        c.mov(r8, rcx);
        c.mov(ecx, 4);
        c.mov(eax, esi);
        c.@lock.cmpxchg(__[rdi], edx);
        c.mov(__[r8], eax);
        Succeed();
    }

    /// <summary><c>long safe_xchg32(uint *p, uint value, uint *old)</c>: 0, or 4 on a fault.</summary>
    private void SafeXchg32()
    {
        symbols.Mark("SafeXchg32");
        c.mov(ecx, 4);
        c.xchg(__[rdi], esi);
        c.mov(__[rdx], esi);
        Succeed();
    }

    /// <summary><c>long safe_add32(uint *p, uint value, uint *old)</c>: 0, or 4 on a fault.</summary>
    private void SafeAdd32()
    {
        symbols.Mark("SafeAdd32");
        c.mov(ecx, 4);
        c.@lock.xadd(__[rdi], esi);
        c.mov(__[rdx], esi);
        Succeed();
    }

    /// <summary><c>long safe_or32(uint *p, uint value, uint *old)</c> and the like: 0, or 4 on a fault. The operation is r8d and esi to r8d.</summary>
    private void SafeUpdate32(string name, Action operation)
    {
        Label again = c.CreateLabel();
        symbols.Mark(name);
        c.mov(ecx, 4);
        c.mov(eax, __[rdi]);
        c.Label(ref again);
        c.mov(r8d, eax);
        operation();
        c.@lock.cmpxchg(__[rdi], r8d);
        c.jne(again);
        c.mov(__[rdx], eax);
        Succeed();
    }

    private void Succeed()
    {
        c.xor(eax, eax);
        c.ret();
    }
}
