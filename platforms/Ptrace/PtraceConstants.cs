// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Platforms.Ptrace;

/// <summary>ptrace(2) and wait(2) constants, C-spelled.</summary>
internal static class PtraceConstants
{
    internal const int PTRACE_CONT = 7;
    internal const int PTRACE_GETREGS = 12;
    internal const int PTRACE_SETREGS = 13;
    internal const int PTRACE_DETACH = 17;
    internal const int PTRACE_SYSEMU = 31;
    internal const int PTRACE_GETEVENTMSG = 0x4201;
    internal const int PTRACE_GETSIGINFO = 0x4202;
    internal const int PTRACE_GETREGSET = 0x4204;
    internal const int PTRACE_SETREGSET = 0x4205;
    internal const int PTRACE_SEIZE = 0x4206;
    internal const int PTRACE_INTERRUPT = 0x4207;
    internal const int PTRACE_GET_RSEQ_CONFIGURATION = 0x420f;

    internal const int PTRACE_O_TRACESYSGOOD = 1;
    internal const int PTRACE_O_TRACEFORK = 2;
    internal const int PTRACE_O_TRACECLONE = 8;
    internal const int PTRACE_O_EXITKILL = 0x100000;

    internal const int PTRACE_EVENT_FORK = 1;
    internal const int PTRACE_EVENT_CLONE = 3;
    internal const int PTRACE_EVENT_STOP = 128;

    internal const int NT_X86_XSTATE = 0x202;

    internal const int __WALL = 0x40000000;
    internal const int __WNOTHREAD = 0x20000000;
    internal const int WNOHANG = 1;

    internal const int SIGILL = 4;
    internal const int SIGTRAP = 5;
    internal const int SIGBUS = 7;
    internal const int SIGFPE = 8;
    internal const int SIGKILL = 9;
    internal const int SIGUSR1 = 10;
    internal const int SIGSEGV = 11;
    internal const int SIGCHLD = 17;
    internal const int SIGSTOP = 19;
    internal const int SIGSYS = 31;

    internal const int CLONE_VM = 0x100;
    internal const int CLONE_FS = 0x200;
    internal const int CLONE_FILES = 0x400;
    internal const int CLONE_SIGHAND = 0x800;
    internal const int CLONE_THREAD = 0x10000;

    internal const int SYS_mmap = 9;
    internal const int SYS_mprotect = 10;
    internal const int SYS_munmap = 11;
    internal const int SYS_rt_sigaction = 13;
    internal const int SYS_pause = 34;
    internal const int SYS_clone = 56;
    internal const int SYS_exit = 60;
    internal const int SYS_prctl = 157;
    internal const int SYS_sched_setaffinity = 203;
    internal const int SYS_seccomp = 317;
    internal const int SYS_rseq = 334;
    internal const int RSEQ_FLAG_UNREGISTER = 1;

    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_NO_NEW_PRIVS = 38;

    /// <summary>PTRACE_O_* of every tracee: system call stops are marked, clones are traced from birth, and all die with us.</summary>
    internal const int TraceOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
}
