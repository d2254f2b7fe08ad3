// SPDX-License-Identifier: Apache-2.0
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>The handler of every signal.</content>
internal sealed partial class StubCode
{
    /// <summary>What the context of a signal holds, and where in a slot it goes.</summary>
    private static readonly (int From, int To)[] s_context =
    {
        (ContextR8, Registers + 56), (48, Registers + 64), (56, Registers + 72), (64, Registers + 80), (ContextR12, Registers + 88), (ContextR13, Registers + 96), (ContextR14, Registers + 104),
        (ContextR15, Registers + 112),
        (104, Registers + 40), // rdi
        (112, Registers + 32), // rsi
        (120, Registers + 48), // rbp
        (128, Registers + 8), // rbx
        (136, Registers + 24), // rdx
        (144, Registers), // rax
        (152, Registers + 16), // rcx
        (160, ReturnFrame + 24), // rsp
        (ContextRip, ReturnFrame),
        (176, ReturnFrame + 16), // rflags
        (192, ErrorCode),
        (200, TrapNumber),
    };

    /// <summary>The kernel has put the state on the carrier's stack. Guest code's state goes to the slot, and the guest thread stops.</summary>
    private void Handler()
    {
        const int InfoSize = 32;
        Label guest = c.CreateLabel(), stub = c.CreateLabel(), site = c.CreateLabel(), back = c.CreateLabel();
        symbols.Mark("Handler");
        c.mov(r13, rsp);
        c.and(r13, -(int)CarrierSize);
        c.mov(rax, __[rdx + ContextRip]);
        c.lea(rcx, __[_code]);
        c.sub(rax, rcx);
        c.cmp(rax, (int)PageSize);
        c.jb(stub);
        c.sub(rax, (int)SitesOffset); // In a site's code a call is about to be made: it stops by itself.
        c.cmp(rax, (int)(AnswerOffset - SitesOffset));
        c.jae(guest);
        c.and(eax, SiteSize - 1);
        c.cmp(eax, SiteTail);
        c.jae(guest);
        c.cmp(edi, SigUsr1);
        c.je(site);
        c.cmp(edi, SigTrap); // A guest's single step goes through it.
        c.je(back);

        c.Label(ref guest);
        LoadCarrier();
        c.mov(__dword_ptr[r13 + CarrierInterrupt], 0);
        c.mov(__[r12 + StopKind], edi);
        for (int word = 0; word < InfoSize; word += 8)
        {
            c.mov(rax, __[rsi + word]);
            c.mov(__[r12 + Info + word], rax);
        }

        foreach ((int from, int to) in s_context)
        {
            c.mov(rax, __[rdx + from]);
            c.mov(__[r12 + to], rax);
        }

        c.rdfsbase(rax);
        c.mov(__[r12 + FsBase], rax);
        c.rdgsbase(rax);
        c.mov(__[r12 + GsSeen], rax);
        StopWithFrame();
        HandleInStub(stub, site, back);
    }

    /// <summary>A signal met our own code: rax is where, from its start. Or a site's.</summary>
    private void HandleInStub(Label stub, Label site, Label back)
    {
        Label notInterrupt = c.CreateLabel(), behindAnswer = c.CreateLabel(), broken = c.CreateLabel();
        c.Label(ref stub);
        c.cmp(edi, SigUsr1);
        c.jne(notInterrupt);
        c.Label(ref site);
        c.mov(__dword_ptr[r13 + CarrierInterrupt], 1);
        c.lea(rcx, __[_code]);
        c.mov(rax, __[rdx + ContextRip]);
        c.sub(rax, rcx);
        c.cmp(rax, symbols.Offset("Answering"));
        c.jb(back);
        c.cmp(rax, symbols.Offset("Ask"));
        c.jae(behindAnswer);
        c.lea(rax, __[_ask]); // A call that was about to be answered here stops by itself, too.
        c.mov(__[rdx + ContextRip], rax);
        c.jmp(back);

        c.Label(ref behindAnswer);
        c.cmp(rax, symbols.Offset("Resume"));
        c.jb(back);
        c.cmp(rax, symbols.Offset("ResumeEnd"));
        c.jae(back);

        // On the way back to the guest: once more from the look at the interrupt's word.
        c.mov(rax, __[r13 + CarrierSlot]);
        c.mov(__[rdx + ContextR12], rax);
        c.mov(__[rdx + ContextR13], r13);
        c.mov(rax, __[r13 + CarrierLine]);
        c.mov(__[rdx + ContextR14], rax);
        c.mov(eax, __[r13 + CarrierSeen]);
        c.mov(__[rdx + ContextR15], rax);
        c.lea(rax, __[_resume]);
        c.mov(__[rdx + ContextRip], rax);

        c.Label(ref back);
        c.add(rsp, 8);
        Call(SysRtSigreturn, _restorer);

        c.Label(ref notInterrupt);
        c.cmp(edi, SigTrap); // A guest's single step goes through our code.
        c.je(back);
        c.cmp(rax, symbols.Offset("Restore"));
        c.jb(broken);
        c.cmp(rax, symbols.Offset("ResumeEnd"));
        c.jae(broken);
        LoadCarrier(); // The processor refuses the guest's state: a fault of the guest.
        c.or(edi, BeforeReturn);
        c.mov(__[r12 + StopKind], edi);
        StopWithFrame();
        c.Label(ref broken);
        c.hlt();
    }

    private void LoadCarrier()
    {
        c.mov(r12, __[r13 + CarrierSlot]);
        c.mov(r14, __[r13 + CarrierLine]);
        c.mov(r15d, __[r13 + CarrierSeen]);
    }

    /// <summary>Stops with the extended registers of the signal frame, which the kernel cleared for this handler.</summary>
    private void StopWithFrame()
    {
        c.mov(rdi, __[rdx + ContextFpState]);
        LoadExtended(__[rdi]);
        c.mov(__dword_ptr[r12 + Saved], 0);
        c.jmp(_stopped);
    }
}
