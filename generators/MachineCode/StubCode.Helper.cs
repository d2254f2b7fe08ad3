// SPDX-License-Identifier: Apache-2.0
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>The helper: takes orders from the control page.</content>
internal sealed partial class StubCode
{
    private void Helper()
    {
        Label next = c.CreateLabel(), look = c.CreateLabel(), sleep = c.CreateLabel(), order = c.CreateLabel(), done = c.CreateLabel(), fork = c.CreateLabel();
        c.Label(ref _helper);
        c.xor(r14d, r14d);
        c.lea(r12, At(ControlOffset));
        c.lea(r13, At(AnswerOffset));
        c.Label(ref next);
        c.mov(ebx, At(DoorbellOffset + HelperSpin));
        c.Label(ref look);
        c.cmp(__[r12 + Sequence], r14d);
        c.jne(order);
        c.sub(ebx, 1);
        c.jb(sleep);
        c.pause();
        c.jmp(look);

        c.Label(ref sleep);
        c.mov(eax, 1);
        c.xchg(__[r13 + HelperAsleep], eax);
        c.lea(rdi, __[r12 + Sequence]);
        Clear(esi); // FUTEX_WAIT
        c.mov(edx, r14d);
        c.xor(r10d, r10d);
        Call(SysFutex, next);

        c.Label(ref order);
        c.add(r14d, 1); // one after the other
        c.mov(__dword_ptr[r13 + HelperAsleep], 0);
        c.mov(eax, r14d);
        c.and(eax, OrderCount - 1);
        c.shl(eax, OrderShift);
        c.lea(r15, __[r12 + rax + OrderRing]);
        c.mov(rdi, __[r15 + OrderArguments]);
        c.mov(eax, __[r15 + OrderKind]);
        c.cmp(eax, ForkCall);
        c.je(fork);
        c.ja(_spawn);
        c.mov(rsi, __[r15 + OrderArguments + 8]);
        c.mov(rdx, __[r15 + OrderArguments + 16]);
        c.mov(r10, __[r15 + OrderArguments + 24]);
        c.mov(r8, __[r15 + OrderArguments + 32]);
        c.mov(r9, __[r15 + OrderArguments + 40]);
        c.mov(rax, __[r15 + OrderNumber]);
        Call(_answer);
        Answer(next, sleep);
        Fork(fork);
    }

    /// <summary>
    /// Gives an order's result and goes on to the next. Behind the last one it says so through the file, which no guest can; if somebody lent its processor, wakes it and sleeps: it goes on
    /// when this process does.
    /// </summary>
    private void Answer(Label next, Label sleep)
    {
        Label nobodyWaits = c.CreateLabel();
        c.Label(ref _answer);
        c.mov(ecx, r14d);
        c.and(ecx, OrderCount - 1);
        c.mov(__[r13 + (rcx * 8) + Results], rax);
        c.cmp(__[r12 + Sequence], r14d);
        c.jne(next); // who waits, waits for the last
        c.mov(rbx, __[r12 + Then]);
        c.mov(edi, Constant(RegionFile));
        c.lea(rsi, __[r15 + OrderSequence]);
        c.mov(edx, sizeof(int));
        c.mov(r10, __[r12 + PartPlace]);
        c.add(r10, Done);
        Call(SysPwrite64);
        c.cmp(__dword_ptr[r12 + Waits], 0);
        c.je(nobodyWaits);
        c.lea(rdi, __[r12 + Done]);
        Wake(nobodyWaits);
        c.Label(ref nobodyWaits);
        c.test(rbx, rbx);
        c.jz(next);
        c.mov(rdi, rbx);
        Wake(sleep);
    }

    /// <summary>Fork: flags, and where the new space's pages lie in the region's file. The child is the helper of a copy of this address space.</summary>
    private void Fork(Label fork)
    {
        const int ReadExecute = 5, ReadWrite = 3;
        c.Label(ref fork);
        c.mov(rbx, __[r15 + OrderArguments + 8]);
        Clone();
        c.jnz(_answer);
        Label behind = c.CreateLabel();
        MapPart(ControlOffset, CodeLength, ReadExecute);
        Call(SysMmap, behind);
        c.Label(ref behind);
        MapPart(AnswerOffset, SpaceLength, ReadWrite);
        c.add(r9, Constant(CodeLength));
        Call(SysMmap, _helper);
    }

    /// <summary>The arguments of mmap(2) that put a part of the new space's pages where the parent's are: the offset in rbx.</summary>
    private void MapPart(ulong place, int length, int protection)
    {
        const int SharedFixed = 0x11;
        c.lea(rdi, At(place));
        c.mov(rsi, Constant(length));
        c.mov(edx, protection);
        c.mov(r10d, SharedFixed);
        c.mov(r8d, Constant(RegionFile));
        c.mov(r9, rbx);
    }

    /// <summary>Spawn: flags. Makes the guest's process in this address space, with the first carrier.</summary>
    private void Spawn()
    {
        const int Unshare = 2; // so that it copies no more than it keeps
        Label nothingBelow = c.CreateLabel(), failed = c.CreateLabel();
        c.Label(ref _spawn);
        Clone();
        c.jnz(_answer);
        c.mov(edi, Constant(KeepTo));
        c.add(edi, 1);
        c.mov(esi, -1);
        c.mov(edx, Unshare);
        Call(SysCloseRange);
        c.test(rax, rax);
        c.jnz(failed);
        c.xor(edi, edi);
        c.mov(esi, Constant(KeepFrom));
        c.sub(esi, 1);
        c.js(nothingBelow);
        c.xor(edx, edx);
        Call(SysCloseRange, nothingBelow);
        c.Label(ref nothingBelow);
        Confine(ThreadProgram);
        c.jnz(failed);
        c.lea(r13, At(CarriersOffset));
        c.jmp(_carrier);
        c.Label(ref failed);
        c.hlt(); // SIGSEGV ends it, and the Sentry sees it gone.
    }
}
