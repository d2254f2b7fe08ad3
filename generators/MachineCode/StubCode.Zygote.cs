// SPDX-License-Identifier: Apache-2.0
using Iced.Intel;
using static CVisor.Platforms.Systrap.SystrapLayout;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <content>The first helper.</content>
internal sealed partial class StubCode
{
    /// <summary><c>long start_zygote()</c>: run by the Sentry. Makes a process that gives up everything but the region and becomes the first helper; its id, or -errno.</summary>
    /// <remarks>
    /// A process in between shares memory with the Sentry: such a one is registered for no restartable sequences (rseq(2)), whose area the first helper could not keep, and neither is what it
    /// makes.
    /// </remarks>
    private void StartZygote()
    {
        const int Again = -11, VmFilesVfork = 0x4500, FilesParent = 0x8400;
        Label between = c.CreateLabel(), done = c.CreateLabel(), zygote = c.CreateLabel();
        symbols.Mark("StartZygote");
        c.push(rbp);
        c.push(Again); // unless the one in between says otherwise
        c.mov(edi, VmFilesVfork | SigChld);
        Clone();
        c.jz(between);
        c.pop(rcx);
        c.pop(rbp);
        c.js(done);
        c.mov(rax, rcx);
        c.Label(ref done);
        c.ret();

        c.Label(ref between);
        c.mov(edi, FilesParent);
        Clone();
        c.jz(zygote);
        c.mov(__[rsp], rax);
        c.xor(edi, edi);
        Call(SysExit, _restorer);

        c.Label(ref zygote);
        BecomeZygote();
    }

    private void BecomeZygote()
    {
        const int SetParentDeathSignal = 1, SetNoNewPrivileges = 38, LastSignal = 31;
        Label nothingAbove = c.CreateLabel(), signal = c.CreateLabel(), next = c.CreateLabel();
        c.mov(edi, SetParentDeathSignal);
        c.mov(esi, SigKill);
        Clear(edx, r10d);
        Call(SysPrctl);

        // Nothing stays below the region, and nothing above it.
        c.xor(edi, edi);
        c.lea(rsi, __[_code]);
        Call(SysMunmap);
        c.mov(rdi, Constant(RegionEnd));
        c.mov(rsi, Constant(TaskSizeWord));
        c.sub(rsi, rdi);
        c.jbe(nothingAbove);
        Call(SysMunmap, nothingAbove);
        c.Label(ref nothingAbove);
        c.mov(edi, SigChld);
        c.lea(rsi, Constant(IgnoreAction));
        c.xor(edx, edx);
        c.mov(r10d, SignalSetSize);
        Call(SysRtSigaction);

        // Every other signal goes to the handler, as far as the host lets it.
        c.mov(ebx, LastSignal);
        c.Label(ref signal);
        c.cmp(ebx, SigChld);
        c.je(next);
        c.mov(edi, ebx);
        c.lea(rsi, Constant(HandlerAction));
        c.xor(edx, edx);
        c.mov(r10d, SignalSetSize);
        Call(SysRtSigaction, next);
        c.Label(ref next);
        c.sub(ebx, 1);
        c.jnz(signal);
        c.mov(edi, SetNoNewPrivileges);
        c.mov(esi, 1);
        Clear(edx, r10d, r8d);
        Call(SysPrctl);
        Confine(HelperProgram);
        c.jz(_helper);
        c.hlt(); // Without a filter no guest runs.
    }
}
