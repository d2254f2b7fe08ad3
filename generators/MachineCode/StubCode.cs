// SPDX-License-Identifier: Apache-2.0
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <summary>What runs in systrap's stub processes besides guest code: mapped read-only and executable at the start of the stub region, at one address in every process of the sandbox.</summary>
/// <remarks>
/// <para>platforms/Systrap/README.md tells the story. Two kinds of processes share an address space: the helper, which changes mappings and makes processes and takes its orders from pages that
/// guest code can only read, and the guest's own, whose host threads (carriers) run guest threads (slots) and, when one stops, this code. Nothing here trusts memory that a guest can write
/// for more than the guest's own fate.</para>
/// <para>One syscall instruction serves all calls (<see cref="Call(int, Label)"/>): the filters let no other address call. It goes on at rbp.</para>
/// <para>A carrier keeps in r12 the slot it has loaded (0: none), in r13 its own block, in r14 its line, in r15d the last order seen. A helper has the control page in r12, the answer page in
/// r13, in r14d the last order begun, in r15 where it lies.</para>
/// </remarks>
internal sealed partial class StubCode(Assembler c, CodeSymbols symbols)
{
    private const int SysWrite = 1, SysPwrite64 = 18, SysRtSigaction = 13, SysRtSigreturn = 15, SysClone = 56, SysExit = 60, SysSigaltstack = 131, SysPrctl = 157, SysFutex = 202, SysSeccomp = 317,
        SysCloseRange = 436;

    private const int SigKill = 9, SigUsr1 = 10, SigTrap = 5, SigChld = 17, SignalSetSize = 8, FutexWake = 1;

    /// <summary>Offsets in struct ucontext.</summary>
    private const int ContextR8 = 40, ContextR12 = 72, ContextR13 = 80, ContextR14 = 88, ContextR15 = 96, ContextRip = 168, ContextFpState = 224;

    /// <summary>The order in which a slot holds the general registers.</summary>
    private static readonly AssemblerRegister64[] s_registers = { rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15 };

    private Label _code = c.CreateLabel(), _restorer = c.CreateLabel(), _helper = c.CreateLabel(), _carrier = c.CreateLabel(), _stopped = c.CreateLabel(), _wait = c.CreateLabel();
    private Label _resume = c.CreateLabel(), _ask = c.CreateLabel(), _answer = c.CreateLabel(), _spawn = c.CreateLabel(), _saveState = c.CreateLabel(), _run = c.CreateLabel();

    /// <summary>Assembles it.</summary>
    public static CodeImage Assemble() => CodeImage.Assemble("CVisor.Platforms.Systrap", "StubX64", static (c, symbols) => new StubCode(c, symbols).Write());

    private void Write()
    {
        symbols.Mark("CodeStart");
        symbols.Mark("CallHost");
        c.Label(ref _code);
        c.syscall();
        symbols.Mark("HostReturn");
        c.jmp(rbp);

        symbols.Mark("Restorer");
        c.Label(ref _restorer);
        c.hlt();

        StartZygote();
        Helper();
        Spawn();
        Carrier();
        Handler();
        PatchedCall();
        Stop();
        Orders();
        Run();
    }

    /// <summary>Memory at a fixed place of the region.</summary>
    private static AssemblerMemoryOperand At(ulong offset) => __[default(Label)] + (long)offset; // relative to rip, from a code that begins at 0

    private static AssemblerMemoryOperand Constant(int offset) => At(ConstantsOffset + (ulong)offset);

    /// <summary>Makes a host call with the arguments in their registers, and goes on elsewhere.</summary>
    private void Call(int number, Label then)
    {
        c.mov(eax, number);
        Call(then);
    }

    /// <summary>The same, with the number in rax.</summary>
    private void Call(Label then)
    {
        c.lea(rbp, __[then]);
        c.jmp(_code);
    }

    /// <summary>Makes a host call with the arguments in their registers, and goes on behind it.</summary>
    private void Call(int number)
    {
        Label behind = c.CreateLabel();
        Call(number, behind);
        c.Label(ref behind);
    }

    /// <summary>clone(2) with the flags in rdi and the same stack: rax is 0 in the child.</summary>
    private void Clone()
    {
        Clear(esi, edx, r10d, r8d);
        Call(SysClone);
        c.test(rax, rax);
    }

    /// <summary>futex(2): wakes one that waits for the word in rdi.</summary>
    private void Wake(Label then)
    {
        c.mov(esi, FutexWake);
        c.mov(edx, 1);
        Call(SysFutex, then);
    }

    /// <summary>seccomp(2): the filter of a struct sock_fprog among the constants. rax is 0 when it is there.</summary>
    private void Confine(int program)
    {
        const int SetModeFilter = 1, SpecAllow = 4; // The guest's code is not slowed down for our filter's sake.
        c.mov(edi, SetModeFilter);
        c.mov(esi, SpecAllow);
        c.lea(rdx, Constant(program));
        Call(SysSeccomp);
        c.test(rax, rax);
    }

    private void Clear(params AssemblerRegister32[] registers)
    {
        foreach (AssemblerRegister32 register in registers)
        {
            c.xor(register, register);
        }
    }

    /// <summary>Loads the extended registers from an XSAVE area, all that the host has switched on.</summary>
    private void LoadExtended(AssemblerMemoryOperand area)
    {
        c.mov(eax, -1);
        c.mov(edx, -1);
        c.xrstor64(area);
    }
}
