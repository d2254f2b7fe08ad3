// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>A carrier: waits for orders and carries them out.</content>
internal sealed partial class StubCode
{
    /// <summary>A carrier begins; r13 is its block.</summary>
    private void Carrier()
    {
        c.Label(ref _carrier);
        c.xor(r12d, r12d);
        c.mov(r14, __[r13 + CarrierLine]);
        c.mov(r15d, __[r13 + CarrierSeen]);
        c.lea(rdi, __[r13 + CarrierStack]);
        c.xor(esi, esi);
        Call(SysSigaltstack, _wait);
    }

    private void Orders()
    {
        Label look = c.CreateLabel(), sleep = c.CreateLabel(), asleep = c.CreateLabel(), awake = c.CreateLabel(), order = c.CreateLabel();
        c.Label(ref _wait);
        c.mov(ebx, At(DoorbellOffset + Spin));
        c.Label(ref look);
        c.mov(eax, __[r14 + LineSequence]);
        c.cmp(eax, r15d);
        c.jne(order);
        c.sub(ebx, 1);
        c.jb(sleep);
        c.pause();
        c.jmp(look);

        c.Label(ref sleep);
        c.lea(rbp, __[asleep]);
        c.jmp(_saveState);
        c.Label(ref asleep);
        c.mov(eax, 1);
        c.xchg(__[r13 + CarrierAsleep], eax);
        c.cmp(__[r14 + LineSequence], r15d);
        c.jne(awake);
        c.mov(rdi, r14);
        Clear(esi); // FUTEX_WAIT
        c.mov(edx, r15d);
        c.xor(r10d, r10d);
        Call(SysFutex, awake);
        c.Label(ref awake);
        c.mov(__dword_ptr[r13 + CarrierAsleep], 0);
        c.jmp(_wait);

        SaveState();
        c.Label(ref order);
        Obey(sleep);
    }

    /// <summary>Stores the extended registers in the slot unless they lie there; goes on at rbp. No slot is loaded from then on: another carrier may run it meanwhile.</summary>
    private void SaveState()
    {
        Label isSaved = c.CreateLabel();
        c.Label(ref _saveState);
        c.test(r12, r12);
        c.jz(isSaved);
        c.cmp(__dword_ptr[r12 + Saved], 0);
        c.jne(isSaved);
        c.mov(eax, -1);
        c.mov(edx, -1);
        c.xsave64(__[r12 + ExtendedState]);
        c.mov(eax, 1);
        c.xchg(__[r12 + Saved], eax);
        c.Label(ref isSaved);
        c.xor(r12d, r12d);
        c.jmp(rbp);
    }

    private void Obey(Label sleep)
    {
        Label save = c.CreateLabel(), make = c.CreateLabel(), saved = c.CreateLabel(), answered = c.CreateLabel(), failed = c.CreateLabel();
        c.mov(r15d, eax);
        c.mov(__[r13 + CarrierSeen], eax);
        c.and(eax, OrderMask);
        c.cmp(eax, SaveOrder);
        c.jb(_run);
        c.je(save);
        c.cmp(eax, WakeOrder);
        c.jb(make);

        // Wake another, and sleep at once.
        c.lea(rbp, __[saved]);
        c.jmp(_saveState);
        c.Label(ref saved);
        c.mov(eax, 1);
        c.xchg(__[r13 + CarrierAsleep], eax);
        c.mov(__[r13 + CarrierDone], r15d);
        c.mov(rdi, __[r14 + LineWake]);
        Wake(sleep);

        c.Label(ref save);
        c.lea(rbp, __[answered]);
        c.jmp(_saveState);
        c.Label(ref answered);
        c.mov(eax, r15d);
        c.xchg(__[r13 + CarrierDone], eax);
        c.jmp(_wait);

        c.Label(ref make);
        c.mov(rbx, __[r14 + LineBlock]);
        c.mov(rdi, __[r14 + LineClone]);
        Clone();
        c.jnz(failed);
        c.mov(r13, rbx);
        c.jmp(_carrier);
        c.Label(ref failed); // Or made, in the maker.
        c.mov(__[r13 + CarrierResult], rax);
        c.jmp(answered);
    }

    /// <summary>Goes on with guest code: that of the slot in the line.</summary>
    private void Run()
    {
        Label same = c.CreateLabel(), saved = c.CreateLabel(), restore = c.CreateLabel(), loaded = c.CreateLabel();
        c.Label(ref _run);
        c.cmp(r12, __[r14 + LineSlot]);
        c.je(same);
        c.lea(rbp, __[saved]);
        c.jmp(_saveState);
        c.Label(ref saved);
        c.mov(r12, __[r14 + LineSlot]);
        c.mov(__[r13 + CarrierSlot], r12);
        c.jmp(restore);
        c.Label(ref same);
        c.test(__dword_ptr[r14 + LineFlags], LoadState);
        c.jz(loaded);

        symbols.Mark("Restore");
        c.Label(ref restore);
        LoadExtended(__[r12 + ExtendedState]);
        c.Label(ref loaded);
        c.mov(__[r12 + SlotCarrier], r13);
        c.mov(__dword_ptr[r12 + Saved], 0);
        ResumeGuest();
    }

    private void ResumeGuest()
    {
        Label allRegisters = c.CreateLabel(), interrupted = c.CreateLabel();
        symbols.Mark("Resume");
        c.Label(ref _resume);
        c.mov(rax, __[r12 + FsBase]);
        c.wrfsbase(rax);
        c.mov(rax, __[r12 + GsBase]);
        c.wrgsbase(rax);
        c.cmp(__dword_ptr[r13 + CarrierInterrupt], 0);
        c.jne(interrupted);
        c.test(__dword_ptr[r14 + LineFlags], AllRegisters);
        c.jnz(allRegisters);

        // Behind a patched call: a jump.
        c.mov(r11, r12);
        LoadFlags(r11);
        foreach ((AssemblerRegister64 register, int index) in s_registers.Select(static (r, i) => (r, i)).Where(static p => p.r != rcx && p.r != r11))
        {
            c.mov(register, __[r11 + Registers + (8 * index)]);
        }

        c.mov(rsp, __[r11 + ReturnFrame + 24]);
        c.mov(rcx, __[r11 + Resume]);
        c.jmp(rcx);

        c.Label(ref allRegisters);
        c.lea(rsp, __[r12 + ReturnFrame]);
        foreach ((AssemblerRegister64 register, int index) in s_registers.Select(static (r, i) => (r, i)))
        {
            c.mov(register, __[rsp + (Registers - ReturnFrame + (8 * index))]);
        }

        c.iretq();
        symbols.Mark("ResumeEnd");

        c.Label(ref interrupted);
        c.mov(__dword_ptr[r13 + CarrierInterrupt], 0);
        c.mov(__dword_ptr[r12 + StopKind], BeforeReturn | SigUsr1);
        c.jmp(_stopped);
    }
}
