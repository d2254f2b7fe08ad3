// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>A stop, and what comes before it at a patched call.</content>
internal sealed partial class StubCode
{
    /// <summary>A patched call, from a site's code: rcx is the slot, rax the number, r11 leads to the addresses where the guest goes on, and where in fact.</summary>
    private void PatchedCall()
    {
        symbols.Mark("CallEntry");
        c.mov(__[rcx + Registers], rax);
        c.mov(rax, __[r11]);
        c.mov(__[rcx + ReturnFrame], rax);
        c.mov(rax, __[r11 + 8]);
        c.mov(__[rcx + Resume], rax);
        AnswerHere();
        c.Label(ref _ask);
        symbols.Mark("Ask");
        c.rdgsbase(rcx);
        foreach ((AssemblerRegister64 register, int index) in s_registers.Select(static (r, i) => (r, i)).Where(static p => p.r != rax && p.r != rcx && p.r != r11))
        {
            c.mov(__[rcx + Registers + (8 * index)], register);
        }

        c.mov(__[rcx + ReturnFrame + 24], rsp);
        c.mov(r12, rcx);
        c.mov(r13, __[rcx + SlotCarrier]);
        c.mov(r14, __[r13 + CarrierLine]);
        c.mov(r15d, __[r13 + CarrierSeen]);
        c.rdfsbase(rax);
        c.mov(__[rcx + FsBase], rax);
        c.mov(__dword_ptr[rcx + StopKind], CVisor.Platforms.Systrap.SystrapLayout.PatchedCall);
    }

    /// <summary>The answer, if the Sentry has left one here, and nobody wants the guest thread to stop.</summary>
    /// <remarks>A signal that comes behind the look at the interrupt's word has the Sentry asked after all. Until then nothing is lost: the guest's registers are as they were, or in the slot.</remarks>
    private void AnswerHere()
    {
        symbols.Mark("Answering");
        c.cmp(__dword_ptr[rcx + MayAnswer], 0);
        c.je(_ask);
        c.mov(rax, __[rcx + Registers]);
        c.cmp(rax, AnswerableNumbers);
        c.jae(_ask);
        c.lea(r11, Constant(AnswerPlaces));
        c.movzx(r11d, __byte_ptr[r11 + rax]);
        c.test(r11d, r11d);
        c.jz(_ask);
        c.mov(rax, __[rcx + SlotCarrier]);
        c.cmp(__dword_ptr[rax + CarrierInterrupt], 0);
        c.jne(_ask);
        c.mov(r11, __[rcx + (r11 * 8)]);
        LoadFlags(rcx);
        c.mov(rax, r11);
        c.mov(rcx, __[rcx + Resume]);
        c.jmp(rcx);
    }

    /// <summary>The flags as lahf and seto stored them; changes rax.</summary>
    private void LoadFlags(AssemblerRegister64 slot)
    {
        c.mov(rax, __[slot + LowFlags]);
        c.add(al, 127);
        c.sahf();
    }

    /// <summary>Says that the slot in r12 has stopped, and wakes its executor if that sleeps.</summary>
    private void Stop()
    {
        const int ExecutorBits = 6;
        c.Label(ref _stopped);
        c.mov(eax, 1);
        c.xchg(__[r12 + State], eax);
        c.mov(eax, __[r12 + Executor]);
        c.and(eax, MaximumExecutors - 1);
        c.shl(eax, ExecutorBits);
        c.lea(rcx, At(DoorbellOffset + Executors));
        c.add(rcx, rax);
        c.cmp(__dword_ptr[rcx], 0);
        c.je(_wait);
        c.mov(edi, __[rcx + 4]);
        c.lea(rsi, Constant(One));
        c.mov(edx, 8);
        Call(SysWrite, _wait);
    }
}
