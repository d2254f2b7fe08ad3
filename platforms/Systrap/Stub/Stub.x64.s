# SPDX-License-Identifier: Apache-2.0
# What runs in stub processes besides guest code. Mapped read-only and executable at the start of the stub region, at one
# address in every process of the sandbox; assembled by assemble.sh into StubX64.cs. README.md beside it tells the story.
#
# Two kinds of processes share an address space: the helper, which changes mappings and makes processes and takes its
# orders from pages that guest code can only read, and the guest's own, whose threads run guest code and, in signal
# handlers, this code. Nothing here trusts memory that a guest can write for more than the guest's own fate.
#
# One syscall instruction serves all calls (call_host): the filters let no other address call. It goes on at rbp.

    .intel_syntax noprefix
    .text
    .globl code_start, call_host, host_return, start_zygote, handler, restorer

# Offsets in the region; SystrapLayout.cs has the same numbers.
    .set constants, code_start + 0x1000
    .set doorbell,  code_start + 0x4000
    .set control,   code_start + 0x5000
    .set answer,    code_start + 0x6000
    .set slots,     code_start + 0x8000

# constants
    .set C_REGION_END, 0x00
    .set C_TASK_SIZE,  0x08
    .set C_SPACE_LEN,  0x10          # bytes from answer to the end of the slots
    .set C_ONE,        0x18          # the number 1, for eventfd
    .set C_KEEP_FROM,  0x20          # first and last descriptor that a guest process keeps
    .set C_KEEP_TO,    0x28
    .set C_IGNORE,     0x40          # struct sigaction: SIG_IGN
    .set C_ACTION,     0x60          # struct sigaction: handler
    .set C_HELPER_PROG, 0x80         # struct sock_fprog
    .set C_THREAD_PROG, 0x90

# doorbell: 64 bytes for each executor, and before them
    .set D_SPIN,        0x00         # how often a stopped thread looks before it sleeps
    .set D_HELPER_SPIN, 0x04         # the same for a helper
    .set D_EXECUTORS,   0x40         # each: u32 asleep, u32 eventfd
# control
    .set H_SEQUENCE, 0x00
    .set H_KIND,     0x04            # 0 a plain call, 1 fork, 2 spawn
    .set H_NUMBER,   0x08
    .set H_ARGS,     0x10
    .set H_WAITS,    0x40            # whether somebody sleeps on the answer
# answer
    .set A_DONE,     0x00
    .set A_RESULT,   0x08
# a slot, 0x8000 bytes, its signal stack behind the header
    .set S_STATE,    0x00            # futex: 1 stopped, 2 stopped and asleep, 3 run, 4 make a thread
    .set S_EXECUTOR, 0x04
    .set S_SIGNAL,   0x08
    .set S_FRAME,    0x10
    .set S_FSBASE,   0x18
    .set S_GSBASE,   0x20
    .set S_FLAGS,    0x28            # clone flags for state 4
    .set S_NEWSLOT,  0x30            # address of the new thread's slot
    .set S_RESULT,   0x38
    .set S_STACK,    0x40            # stack_t for sigaltstack

code_start:
call_host:
    syscall
host_return:
    jmp rbp

restorer:
    hlt

# long start_zygote(): run by the Sentry. Makes a process that gives up everything but the region and becomes the first
# helper; its id, or -errno. A process in between shares memory with the Sentry: such a one is registered for no restartable
# sequences (rseq(2)), whose area the first helper could not keep, and neither is what it makes.
start_zygote:
    push rbp
    push -11                         # EAGAIN, unless the one in between says otherwise
    mov edi, 0x4511                  # CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rax, rax
    jz 10f
    pop rcx
    pop rbp
    js 11f
    mov rax, rcx
11: ret
10: mov edi, 0x8400                  # CLONE_FILES | CLONE_PARENT
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 12f]
    jmp call_host
12: test rax, rax
    jz 2f
    mov [rsp], rax
    xor edi, edi
    mov eax, 60
    lea rbp, [rip + restorer]
    jmp call_host
2:  mov edi, 1                       # PR_SET_PDEATHSIG, SIGKILL
    mov esi, 9
    xor edx, edx
    xor r10d, r10d
    mov eax, 157
    lea rbp, [rip + 3f]
    jmp call_host
3:  xor edi, edi
    lea rsi, [rip + code_start]
    mov eax, 11
    lea rbp, [rip + 4f]
    jmp call_host
4:  mov rdi, [rip + constants + C_REGION_END]
    mov rsi, [rip + constants + C_TASK_SIZE]
    sub rsi, rdi
    jbe 5f
    mov eax, 11
    lea rbp, [rip + 5f]
    jmp call_host
5:  mov edi, 17                      # SIGCHLD
    lea rsi, [rip + constants + C_IGNORE]
    xor edx, edx
    mov r10d, 8
    mov eax, 13
    lea rbp, [rip + 6f]
    jmp call_host
6:  mov ebx, 31                      # every other signal goes to the handler, as far as the host lets it
7:  cmp ebx, 17
    je 8f
    mov edi, ebx
    lea rsi, [rip + constants + C_ACTION]
    xor edx, edx
    mov r10d, 8
    mov eax, 13
    lea rbp, [rip + 8f]
    jmp call_host
8:  sub ebx, 1
    jnz 7b
    mov edi, 38                      # PR_SET_NO_NEW_PRIVS
    mov esi, 1
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 157
    lea rbp, [rip + 9f]
    jmp call_host
9:  mov edi, 1                       # SECCOMP_SET_MODE_FILTER
    xor esi, esi
    lea rdx, [rip + constants + C_HELPER_PROG]
    mov eax, 317
    lea rbp, [rip + 13f]
    jmp call_host
13: test rax, rax
    jz helper
    hlt                              # without a filter no guest runs

# The helper: takes orders from the control page.
helper:
    xor r14d, r14d
    lea r12, [rip + control]
    lea r13, [rip + answer]
helper_next:
    mov ebx, [rip + doorbell + D_HELPER_SPIN]
1:  mov eax, [r12 + H_SEQUENCE]
    cmp eax, r14d
    jne 3f
    sub ebx, 1
    jb 2f
    pause
    jmp 1b
2:  lea rdi, [r12 + H_SEQUENCE]
    xor esi, esi                     # FUTEX_WAIT
    mov edx, r14d
    xor r10d, r10d
    mov eax, 202
    lea rbp, [rip + helper_next]
    jmp call_host
3:  mov r14d, eax
    mov rdi, [r12 + H_ARGS]
    mov eax, [r12 + H_KIND]
    cmp eax, 1
    je helper_fork
    ja helper_spawn
    mov rsi, [r12 + H_ARGS + 8]
    mov rdx, [r12 + H_ARGS + 16]
    mov r10, [r12 + H_ARGS + 24]
    mov r8, [r12 + H_ARGS + 32]
    mov r9, [r12 + H_ARGS + 40]
    mov rax, [r12 + H_NUMBER]
    lea rbp, [rip + helper_done]
    jmp call_host
helper_done:
    mov [r13 + A_RESULT], rax
    mov eax, r14d
    xchg [r13 + A_DONE], eax
    cmp dword ptr [r12 + H_WAITS], 0
    je helper_next
    lea rdi, [r13 + A_DONE]
    mov esi, 1                       # FUTEX_WAKE
    mov edx, 1
    mov eax, 202
    lea rbp, [rip + helper_next]
    jmp call_host

# fork: flags, descriptor and offset of the new space's pages. The child is the helper of a copy of this address space.
helper_fork:
    mov r15, [r12 + H_ARGS + 8]
    mov rbx, [r12 + H_ARGS + 16]
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rax, rax
    jnz helper_done
    lea rdi, [rip + control]
    mov esi, 0x1000
    mov edx, 1                       # PROT_READ
    mov r10d, 0x11                   # MAP_SHARED | MAP_FIXED
    mov r8, r15
    mov r9, rbx
    mov eax, 9
    lea rbp, [rip + 2f]
    jmp call_host
2:  lea rdi, [rip + answer]
    mov rsi, [rip + constants + C_SPACE_LEN]
    mov edx, 3
    mov r10d, 0x11
    mov r8, r15
    lea r9, [rbx + 0x1000]
    mov eax, 9
    lea rbp, [rip + helper]
    jmp call_host

# spawn: flags. Makes the guest's process in this address space, with the first slot's thread.
helper_spawn:
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rax, rax
    jnz helper_done
    mov edi, [rip + constants + C_KEEP_TO]
    add edi, 1
    mov esi, -1
    mov edx, 2                       # CLOSE_RANGE_UNSHARE: copies no more than it keeps
    mov eax, 436
    lea rbp, [rip + 2f]
    jmp call_host
2:  test rax, rax
    jnz 9f
    xor edi, edi
    mov esi, [rip + constants + C_KEEP_FROM]
    sub esi, 1
    js 3f
    xor edx, edx
    mov eax, 436
    lea rbp, [rip + 3f]
    jmp call_host
3:  mov edi, 1
    xor esi, esi
    lea rdx, [rip + constants + C_THREAD_PROG]
    mov eax, 317
    lea rbp, [rip + 4f]
    jmp call_host
4:  test rax, rax
    jnz 9f
    lea r12, [rip + slots]
    jmp thread
9:  hlt                              # SIGSEGV ends it, and the Sentry sees it gone

# A thread of the guest's process begins; r12 is its slot.
thread:
    lea rdi, [r12 + S_STACK]
    xor esi, esi
    mov eax, 131
    lea rbp, [rip + stopped]
    jmp call_host

# Every signal: the kernel has put the guest's state on the slot's stack. Stop, and wait for the Sentry's word.
handler:
    mov r12, rsp
    and r12, -0x8000
    mov [r12 + S_SIGNAL], edi
    mov [r12 + S_FRAME], rsp
    rdfsbase rax
    mov [r12 + S_FSBASE], rax
    rdgsbase rax
    mov [r12 + S_GSBASE], rax
stopped:
    mov eax, 1
    xchg [r12 + S_STATE], eax
    mov eax, [r12 + S_EXECUTOR]
    and eax, 31
    shl eax, 6
    lea r13, [rip + doorbell + D_EXECUTORS]
    add r13, rax
    cmp dword ptr [r13], 0
    je wait
    mov edi, [r13 + 4]
    lea rsi, [rip + constants + C_ONE]
    mov edx, 8
    mov eax, 1
    lea rbp, [rip + wait]
    jmp call_host
wait:
    mov ebx, [rip + doorbell + D_SPIN]
1:  mov eax, [r12 + S_STATE]
    cmp eax, 3
    jae 4f
    sub ebx, 1
    jb 2f
    pause
    jmp 1b
2:  mov eax, 1
    mov ecx, 2
    lock cmpxchg [r12 + S_STATE], ecx
    je 3f
    cmp eax, 2
    jne 4f
3:  lea rdi, [r12 + S_STATE]
    xor esi, esi
    mov edx, 2
    xor r10d, r10d
    mov eax, 202
    lea rbp, [rip + 5f]
    jmp call_host
5:  xor ebx, ebx
    jmp 1b
4:  mov eax, [r12 + S_STATE]
    cmp eax, 4
    je make_thread
    mov rax, [r12 + S_FSBASE]
    wrfsbase rax
    mov rax, [r12 + S_GSBASE]
    wrgsbase rax
    mov rsp, [r12 + S_FRAME]
    add rsp, 8
    mov eax, 15
    lea rbp, [rip + stopped]
    jmp call_host

make_thread:
    mov r15, [r12 + S_NEWSLOT]
    mov rdi, [r12 + S_FLAGS]
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rax, rax
    jnz 2f
    mov r12, r15
    jmp thread
2:  mov [r12 + S_RESULT], rax
    mov eax, 1
    xchg [r12 + S_STATE], eax
    lea rdi, [r12 + S_STATE]
    mov esi, 1                       # FUTEX_WAKE: the Sentry may sleep on it
    mov edx, 1
    mov eax, 202
    lea rbp, [rip + wait]
    jmp call_host
