// SPDX-License-Identifier: Apache-2.0
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace CVisor.Generators.MachineCode;

/// <summary>Machine code that the managed side of our own processes cannot be: raw system calls, fault-tolerant copies, and children that never return to managed code.</summary>
/// <remarks>Calling convention: System V AMD64. No function here uses the heap, libc or thread-local storage.</remarks>
internal sealed partial class HostCode(Assembler c, CodeSymbols symbols)
{
    private const int SysWrite = 1, SysRtSigaction = 13, SysRtSigreturn = 15, SysClone = 56, SysExitGroup = 231;

    private Label _code = c.CreateLabel(), _safeBegin = c.CreateLabel(), _safeEnd = c.CreateLabel(), _previousSegv = c.CreateLabel(), _previousBus = c.CreateLabel();

    /// <summary>Assembles it.</summary>
    public static CodeImage Assemble() => CodeImage.Assemble("CVisor.Host", "HostCodeX64", static (c, symbols) => new HostCode(c, symbols).Write());

    private void Write()
    {
        c.Label(ref _code);
        Syscall6();
        ReadTsc();
        ScriptClone();
        SigreturnTrampoline();
        FaultHandler();
        TrapHandler();

        // Every function between these is a leaf that leaves rsp alone, so that the fixup can return for it.
        symbols.Mark("SafeBegin");
        c.Label(ref _safeBegin);
        SafeCopy();
        SafeZero();
        SafeLoad32();
        SafeCas32();
        SafeXchg32();
        SafeAdd32();
        SafeUpdate32("SafeOr32", () => c.or(r8d, esi));
        SafeUpdate32("SafeAnd32", () => c.and(r8d, esi));
        SafeUpdate32("SafeXor32", () => c.xor(r8d, esi));
        symbols.Mark("SafeEnd");
        symbols.Mark("SafeFixup");
        c.Label(ref _safeEnd);
        c.mov(rax, rcx);
        c.ret();

        c.nop(6); // so that the words lie at a multiple of 8
        symbols.Mark("PrevSegv");
        c.Label(ref _previousSegv);
        c.dq(0UL);
        symbols.Mark("PrevBus");
        c.Label(ref _previousBus);
        c.dq(0UL);
    }

    /// <summary><c>long syscall6(long nr, long a0 .. a5)</c>: the kernel's return value, -errno on failure.</summary>
    private void Syscall6()
    {
        symbols.Mark("Syscall6");
        c.mov(rax, rdi);
        c.mov(rdi, rsi);
        c.mov(rsi, rdx);
        c.mov(rdx, rcx);
        c.mov(r10, r8);
        c.mov(r8, r9);
        c.mov(r9, __[rsp + 8]);
        c.syscall();
        c.ret();
    }

    /// <summary><c>ulong read_tsc()</c>: the time-stamp counter, not before what was loaded before.</summary>
    private void ReadTsc()
    {
        symbols.Mark("ReadTsc");
        c.lfence();
        c.rdtsc();
        c.shl(rdx, 32);
        c.or(rax, rdx);
        c.ret();
    }

    /// <summary><c>long script_clone(ulong flags, step *script)</c>: clones; the child runs the script's steps and never returns.</summary>
    /// <remarks>
    /// A step is 9 quadwords: number, six arguments, mode, result (written by the child; -4096 beforehand). Mode 0: a negative result ends the child with status 127.
    /// Mode 1: the result is ignored. The child touches no stack, so CLONE_VM|CLONE_VFORK is safe.
    /// </remarks>
    private void ScriptClone()
    {
        Label step = c.CreateLabel(), next = c.CreateLabel(), failed = c.CreateLabel();
        symbols.Mark("ScriptClone");
        c.push(r12);
        c.mov(r12, rsi);
        c.xor(esi, esi);
        c.xor(edx, edx);
        c.xor(r10d, r10d);
        c.xor(r8d, r8d);
        Call(SysClone);
        c.test(rax, rax);
        c.jz(step);
        c.pop(r12);
        c.ret();

        c.Label(ref step);
        c.mov(rax, __[r12]);
        c.mov(rdi, __[r12 + 8]);
        c.mov(rsi, __[r12 + 16]);
        c.mov(rdx, __[r12 + 24]);
        c.mov(r10, __[r12 + 32]);
        c.mov(r8, __[r12 + 40]);
        c.mov(r9, __[r12 + 48]);
        c.syscall();
        c.mov(__[r12 + 64], rax);
        c.test(rax, rax);
        c.jns(next);
        c.cmp(__qword_ptr[r12 + 56], 0);
        c.je(failed);
        c.Label(ref next);
        c.add(r12, 72);
        c.jmp(step);

        c.Label(ref failed);
        c.mov(edi, 127);
        Call(SysExitGroup);
        c.hlt();
    }

    /// <summary>The restorer of the fault handler's signal frame.</summary>
    private void SigreturnTrampoline()
    {
        symbols.Mark("SigreturnTrampoline");
        Call(SysRtSigreturn);
        c.hlt();
    }

    /// <summary>
    /// <c>void fault_handler(int signo, siginfo_t *info, ucontext_t *uc)</c>: a fault in a function that may fault resumes at the fixup; any other goes on to the handler that was there before
    /// (the runtime's), or to the default action.
    /// </summary>
    private void FaultHandler()
    {
        const int ContextRip = 168, SigBus = 7, SigIgn = 1, ActionSize = 32, Frame = 40;
        Label other = c.CreateLabel(), bus = c.CreateLabel(), chosen = c.CreateLabel(), none = c.CreateLabel();
        symbols.Mark("FaultHandler");
        c.mov(rax, __[rdx + ContextRip]);
        c.lea(rcx, __[_safeBegin]);
        c.cmp(rax, rcx);
        c.jb(other);
        c.lea(rcx, __[_safeEnd]);
        c.cmp(rax, rcx);
        c.jae(other);
        c.lea(rcx, __[_safeEnd]);
        c.mov(__[rdx + ContextRip], rcx);
        c.ret();

        c.Label(ref other);
        c.cmp(edi, SigBus);
        c.je(bus);
        c.mov(rax, __[_previousSegv]);
        c.jmp(chosen);
        c.Label(ref bus);
        c.mov(rax, __[_previousBus]);
        c.Label(ref chosen);
        c.cmp(rax, SigIgn);
        c.jbe(none);
        c.jmp(rax);

        // No previous handler: restore the default action, so that the retried instruction ends the process.
        c.Label(ref none);
        c.sub(rsp, Frame);
        c.xor(eax, eax);
        for (int word = 0; word < ActionSize; word += 8)
        {
            c.mov(__[rsp + word], rax);
        }

        c.mov(rsi, rsp);
        c.xor(edx, edx);
        c.mov(r10d, 8);
        Call(SysRtSigaction);
        c.add(rsp, Frame);
        c.ret();
    }

    /// <summary>
    /// <c>void trap_handler(int signo, siginfo_t *info, ucontext_t *uc)</c>: SIGSYS, our own filter refused a host call. Writes one line that names the call to the report's descriptors, and ends
    /// the process with the report's status.
    /// </summary>
    /// <remarks>
    /// The report (FilterTrap.Unsafe.cs) is pointed at by the first quadword behind the code page: 0 status, 8 number of names, 16 and 24 descriptors (-1: none), 32 prefix: length and 120
    /// bytes, 160 names: for each call, and one more for those beyond, length and 24 bytes.
    /// </remarks>
    private void TrapHandler()
    {
        const int InfoCall = 24, CodePage = 4096, Names = 8, Descriptor = 16, OtherDescriptor = 24, Prefix = 32, FirstName = 160, NameBits = 5, Room = 192;
        Label isNamed = c.CreateLabel(), nobody = c.CreateLabel();
        symbols.Mark("TrapHandler");
        c.mov(r12d, __[rsi + InfoCall]);
        c.lea(rbx, __[_code]);
        c.mov(rbx, __[rbx + CodePage]);
        c.test(rbx, rbx);
        c.jz(nobody);
        c.cmp(r12, __[rbx + Names]);
        c.jbe(isNamed);
        c.mov(r12, __[rbx + Names]);
        c.Label(ref isNamed);
        c.shl(r12, NameBits);
        c.lea(r12, __[rbx + r12 + FirstName]);
        c.sub(rsp, Room);
        c.mov(rdi, rsp);
        c.mov(rcx, __[rbx + Prefix]);
        c.lea(rsi, __[rbx + Prefix + 8]);
        c.rep.movsb();
        c.mov(rcx, __[r12]);
        c.lea(rsi, __[r12 + 8]);
        c.rep.movsb();
        c.mov(__byte_ptr[rdi], '\n');
        c.inc(rdi);
        c.mov(r13, rdi);
        c.sub(r13, rsp);
        foreach (int descriptor in new[] { Descriptor, OtherDescriptor })
        {
            c.mov(edi, __[rbx + descriptor]);
            c.mov(rsi, rsp);
            c.mov(rdx, r13);
            Call(SysWrite);
        }

        c.mov(edi, __[rbx]);
        Call(SysExitGroup);
        c.Label(ref nobody);
        c.hlt();
    }

    private void Call(int number)
    {
        c.mov(eax, number);
        c.syscall();
    }
}
