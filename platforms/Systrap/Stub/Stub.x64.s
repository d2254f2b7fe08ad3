# SPDX-License-Identifier: Apache-2.0
# What runs in stub processes besides guest code. Mapped read-only and executable at the start of the stub region, at one
# address in every process of the sandbox; assembled by assemble.sh into StubX64.cs. README.md beside it tells the story.
#
# Two kinds of processes share an address space: the helper, which changes mappings and makes processes and takes its
# orders from pages that guest code can only read, and the guest's own, whose host threads (carriers) run guest threads
# (slots) and, when one stops, this code. Nothing here trusts memory that a guest can write for more than the guest's own fate.
#
# One syscall instruction serves all calls (call_host): the filters let no other address call. It goes on at rbp.
#
# A carrier keeps in r12 the slot it has loaded (0: none), in r13 its own block, in r14 its line, in r15d the last order seen.

    .intel_syntax noprefix
    .text
    .globl code_start, call_host, host_return, start_zygote, handler, restorer, call_entry

# Offsets in the region; SystrapLayout.cs has the same numbers.
    .set constants, code_start + 0x1000
    .set doorbell,  code_start + 0x4000
    .set lines,     code_start + 0x5000
    .set control,   code_start + 0x105000
    .set sites,     code_start + 0x116000
    .set answer,    code_start + 0x216000
    .set carriers,  code_start + 0x218000

# constants
    .set C_REGION_END, 0x00
    .set C_TASK_SIZE,  0x08
    .set C_CODE_LEN,   0x10          # bytes from control to answer
    .set C_SPACE_LEN,  0x18          # bytes from answer to the end of the slots
    .set C_ONE,        0x20          # the number 1, for eventfd
    .set C_KEEP_FROM,  0x28          # first and last descriptor that a guest process keeps
    .set C_KEEP_TO,    0x30
    .set C_IGNORE,     0x40          # struct sigaction: SIG_IGN
    .set C_ACTION,     0x60          # struct sigaction: handler
    .set C_HELPER_PROG, 0x80         # struct sock_fprog
    .set C_THREAD_PROG, 0x90
    .set C_ANSWERS,    0xa0          # a byte for each of the lowest numbers: where in a slot, in units of 8 bytes, its answer lies; 0 for none
    .set ANSWERABLE,   256

# doorbell: 64 bytes for each executor, and before them
    .set D_SPIN,        0x00         # how often a waiting carrier looks before it sleeps
    .set D_HELPER_SPIN, 0x04         # the same for a helper
    .set D_EXECUTORS,   0x40         # each: u32 asleep, u32 eventfd
# control
    .set H_SEQUENCE, 0x00
    .set H_KIND,     0x04            # 0 a plain call, 1 fork, 2 spawn
    .set H_NUMBER,   0x08
    .set H_ARGS,     0x10
    .set H_WAITS,    0x40            # whether somebody sleeps on the answer
    .set H_THEN,     0x48            # address of a word to wake once the answer is there; 0 for none
# answer
    .set A_DONE,     0x00
    .set A_ASLEEP,   0x04
    .set A_RESULT,   0x08
# a carrier's line, 64 bytes: what the Sentry says to it
    .set L_SEQ,      0x00            # futex: counts orders
    .set L_ORDER,    0x04            # 1 run, 2 save, 3 make a carrier, 4 wake another and sleep
    .set L_SLOT,     0x08            # run: address of the slot
    .set L_FLAGS,    0x10            # run: 1 every register, 2 load the extended state
    .set L_ARG,      0x18            # make: the new carrier's block; wake: the word
    .set L_CLONE,    0x20            # make: clone flags
# a carrier's block, 0x4000 bytes; its signal stack is the rest of it
    .set K_SLOT,     0x00
    .set K_LINE,     0x08
    .set K_ASLEEP,   0x10
    .set K_INTR,     0x14            # an interrupt came while our code ran
    .set K_DONE,     0x18            # the last order carried out, of those that are answered
    .set K_SEEN,     0x1c
    .set K_RESULT,   0x20
    .set K_STACK,    0x28            # stack_t for sigaltstack
# a slot: a guest thread's state
    .set S_STATE,    0x00            # 1 stopped, 0 running
    .set S_EXECUTOR, 0x04
    .set S_KIND,     0x08            # why: 0 a patched call, else a signal; 0x100 at the way back, before any guest code ran
    .set S_SAVED,    0x0c            # whether the extended state lies in the slot
    .set S_CARRIER,  0x10
    .set S_SELF,     0x18            # the slot's own address
    .set S_FSBASE,   0x20
    .set S_GSBASE,   0x28            # what to load
    .set S_GSSEEN,   0x30            # what was there at a signal
    .set S_RESUME,   0x38            # where a patched call goes on
    .set S_FLAGS,    0x40            # flags at a patched call, as lahf and seto have them
    .set S_IRET,     0x48            # rip cs rflags rsp ss
    .set S_ANSWERS,  0x70            # whether calls may be answered here; the answers lie from 0x130 on
    .set S_REGS,     0x80            # rax rbx rcx rdx rsi rdi rbp r8 .. r15
    .set S_INFO,     0x100           # the first half of siginfo
    .set S_ERROR,    0x120
    .set S_TRAP,     0x128
    .set S_XSAVE,    0x200
# struct ucontext
    .set U_R12, 72
    .set U_R13, 80
    .set U_R14, 88
    .set U_R15, 96
    .set U_RIP, 168
    .set U_FPSTATE, 224

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
    mov esi, 4                       # SECCOMP_FILTER_FLAG_SPEC_ALLOW: the guest's code is not slowed down for our filter's sake
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
2:
helper_sleep:
    mov eax, 1
    xchg [r13 + A_ASLEEP], eax
    lea rdi, [r12 + H_SEQUENCE]
    xor esi, esi                     # FUTEX_WAIT
    mov edx, r14d
    xor r10d, r10d
    mov eax, 202
    lea rbp, [rip + helper_next]
    jmp call_host
3:  mov r14d, eax
    mov dword ptr [r13 + A_ASLEEP], 0
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
    mov rbx, [r12 + H_THEN]
    xchg [r13 + A_DONE], eax
    cmp dword ptr [r12 + H_WAITS], 0
    je 1f
    lea rdi, [r13 + A_DONE]
    mov esi, 1                       # FUTEX_WAKE
    mov edx, 1
    mov eax, 202
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rbx, rbx
    jz helper_next
    mov rdi, rbx                     # who lent its processor: it sleeps, and goes on when this process does
    mov esi, 1
    mov edx, 1
    mov eax, 202
    lea rbp, [rip + helper_sleep]
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
    mov rsi, [rip + constants + C_CODE_LEN]
    mov edx, 5                       # PROT_READ | PROT_EXEC
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
    mov r9, rbx
    add r9, [rip + constants + C_CODE_LEN]
    mov eax, 9
    lea rbp, [rip + helper]
    jmp call_host

# spawn: flags. Makes the guest's process in this address space, with the first carrier.
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
    mov esi, 4
    lea rdx, [rip + constants + C_THREAD_PROG]
    mov eax, 317
    lea rbp, [rip + 4f]
    jmp call_host
4:  test rax, rax
    jnz 9f
    lea r13, [rip + carriers]
    jmp carrier
9:  hlt                              # SIGSEGV ends it, and the Sentry sees it gone

# A carrier begins; r13 is its block.
carrier:
    xor r12d, r12d
    mov r14, [r13 + K_LINE]
    mov r15d, [r13 + K_SEEN]
    lea rdi, [r13 + K_STACK]
    xor esi, esi
    mov eax, 131
    lea rbp, [rip + wait]
    jmp call_host

# Every signal: the kernel has put the state on the carrier's stack. Guest code's state goes to the slot, and the guest thread stops.
handler:
    mov r13, rsp
    and r13, -0x4000
    mov rax, [rdx + U_RIP]
    lea rcx, [rip + code_start]
    sub rax, rcx
    cmp rax, 0x1000
    jb in_stub
    sub rax, 0x116000                # in a site's code a call is about to be made: it stops by itself
    cmp rax, 0x100000
    jae 1f
    and eax, 0x7f
    cmp eax, 0x50                    # the end of a site's code belongs to the guest
    jae 1f
    cmp edi, 10
    je in_site
    cmp edi, 5                       # a guest's single step goes through it
    je back
1:  mov r12, [r13 + K_SLOT]
    mov r14, [r13 + K_LINE]
    mov r15d, [r13 + K_SEEN]
    mov dword ptr [r13 + K_INTR], 0
    mov [r12 + S_KIND], edi
    mov rax, [rsi]
    mov [r12 + S_INFO], rax
    mov rax, [rsi + 8]
    mov [r12 + S_INFO + 8], rax
    mov rax, [rsi + 16]
    mov [r12 + S_INFO + 16], rax
    mov rax, [rsi + 24]
    mov [r12 + S_INFO + 24], rax
    .macro take from, to
    mov rax, [rdx + \from]
    mov [r12 + \to], rax
    .endm
    take 40,  S_REGS + 56            # r8
    take 48,  S_REGS + 64
    take 56,  S_REGS + 72
    take 64,  S_REGS + 80
    take 72,  S_REGS + 88
    take 80,  S_REGS + 96
    take 88,  S_REGS + 104
    take 96,  S_REGS + 112           # r15
    take 104, S_REGS + 40            # rdi
    take 112, S_REGS + 32            # rsi
    take 120, S_REGS + 48            # rbp
    take 128, S_REGS + 8             # rbx
    take 136, S_REGS + 24            # rdx
    take 144, S_REGS                 # rax
    take 152, S_REGS + 16            # rcx
    take 160, S_IRET + 24            # rsp
    take 168, S_IRET                 # rip
    take 176, S_IRET + 16            # rflags
    take 192, S_ERROR
    take 200, S_TRAP
    rdfsbase rax
    mov [r12 + S_FSBASE], rax
    rdgsbase rax
    mov [r12 + S_GSSEEN], rax
    mov rdi, [rdx + U_FPSTATE]       # the kernel cleared the extended registers for this handler
    mov eax, -1
    mov edx, -1
    xrstor64 [rdi]
    mov dword ptr [r12 + S_SAVED], 0
    jmp stopped

# A signal met our own code; rax is where, from code_start.
in_stub:
    cmp edi, 10
    jne 3f
in_site:
    mov dword ptr [r13 + K_INTR], 1
    lea rcx, [rip + code_start]
    mov rax, [rdx + U_RIP]
    sub rax, rcx
    cmp rax, offset answer_begin - code_start
    jb 2f
    cmp rax, offset answer_end - code_start
    jae 4f
    lea rax, [rip + answer_end]      # a call that was about to be answered here stops by itself, too
    mov [rdx + U_RIP], rax
    jmp back
4:  cmp rax, offset resume - code_start
    jb 2f
    cmp rax, offset resume_end - code_start
    jae 2f
    mov rax, [r13 + K_SLOT]          # on the way back to the guest: once more from the look at K_INTR
    mov [rdx + U_R12], rax
    mov [rdx + U_R13], r13
    mov rax, [r13 + K_LINE]
    mov [rdx + U_R14], rax
    mov eax, [r13 + K_SEEN]
    mov [rdx + U_R15], rax
    lea rax, [rip + resume]
    mov [rdx + U_RIP], rax
2:
back:
    add rsp, 8
    mov eax, 15
    lea rbp, [rip + restorer]
    jmp call_host
3:  cmp edi, 5                       # a guest's single step goes through our code
    je 2b
    cmp rax, offset restore - code_start
    jb 9f
    cmp rax, offset resume_end - code_start
    jae 9f
    mov r12, [r13 + K_SLOT]          # the processor refuses the guest's state: a fault of the guest
    mov r14, [r13 + K_LINE]
    mov r15d, [r13 + K_SEEN]
    or edi, 0x100
    mov [r12 + S_KIND], edi
    mov rdi, [rdx + U_FPSTATE]
    mov eax, -1
    mov edx, -1
    xrstor64 [rdi]
    mov dword ptr [r12 + S_SAVED], 0
    jmp stopped
9:  hlt

# A patched call, from a site's code: rcx is the slot, rax the number, r11 leads to the addresses where the guest goes on, and where in fact.
call_entry:
    mov [rcx + S_REGS], rax
    mov rax, [r11]
    mov [rcx + S_IRET], rax
    mov rax, [r11 + 8]
    mov [rcx + S_RESUME], rax

# The answer, if the Sentry has left one here, and nobody wants the guest thread to stop: a signal that comes behind the look at K_INTR goes on at answer_end
# (in_stub). Until then nothing is lost: the guest's registers are as they were, or in the slot.
answer_begin:
    cmp dword ptr [rcx + S_ANSWERS], 0
    je answer_end
    mov rax, [rcx + S_REGS]
    cmp rax, ANSWERABLE
    jae answer_end
    lea r11, [rip + constants + C_ANSWERS]
    movzx r11d, byte ptr [r11 + rax]
    test r11d, r11d
    jz answer_end
    mov rax, [rcx + S_CARRIER]
    cmp dword ptr [rax + K_INTR], 0
    jne answer_end
    mov r11, [rcx + r11 * 8]
    mov rax, [rcx + S_FLAGS]
    add al, 127
    sahf
    mov rax, r11
    mov rcx, [rcx + S_RESUME]
    jmp rcx
answer_end:
    rdgsbase rcx
    mov [rcx + S_REGS + 8], rbx
    mov [rcx + S_REGS + 24], rdx
    mov [rcx + S_REGS + 32], rsi
    mov [rcx + S_REGS + 40], rdi
    mov [rcx + S_REGS + 48], rbp
    mov [rcx + S_REGS + 56], r8
    mov [rcx + S_REGS + 64], r9
    mov [rcx + S_REGS + 72], r10
    mov [rcx + S_REGS + 88], r12
    mov [rcx + S_REGS + 96], r13
    mov [rcx + S_REGS + 104], r14
    mov [rcx + S_REGS + 112], r15
    mov [rcx + S_IRET + 24], rsp
    mov r12, rcx
    mov r13, [rcx + S_CARRIER]
    mov r14, [r13 + K_LINE]
    mov r15d, [r13 + K_SEEN]
    rdfsbase rax
    mov [rcx + S_FSBASE], rax
    mov dword ptr [rcx + S_KIND], 0

stopped:
    mov eax, 1
    xchg [r12 + S_STATE], eax
    mov eax, [r12 + S_EXECUTOR]
    and eax, 31
    shl eax, 6
    lea rcx, [rip + doorbell + D_EXECUTORS]
    add rcx, rax
    cmp dword ptr [rcx], 0
    je wait
    mov edi, [rcx + 4]
    lea rsi, [rip + constants + C_ONE]
    mov edx, 8
    mov eax, 1
    lea rbp, [rip + wait]
    jmp call_host
wait:
    mov ebx, [rip + doorbell + D_SPIN]
1:  mov eax, [r14 + L_SEQ]
    cmp eax, r15d
    jne order
    sub ebx, 1
    jb sleep
    pause
    jmp 1b
sleep:
    lea rbp, [rip + 2f]
    jmp save_state
2:  mov eax, 1
    xchg [r13 + K_ASLEEP], eax
    cmp [r14 + L_SEQ], r15d
    jne 3f
    mov rdi, r14
    xor esi, esi                     # FUTEX_WAIT
    mov edx, r15d
    xor r10d, r10d
    mov eax, 202
    lea rbp, [rip + 3f]
    jmp call_host
3:  mov dword ptr [r13 + K_ASLEEP], 0
    jmp wait

# Stores the extended registers in the slot unless they lie there; goes on at rbp.
save_state:
    test r12, r12
    jz 1f
    cmp dword ptr [r12 + S_SAVED], 0
    jne 1f
    mov eax, -1
    mov edx, -1
    xsave64 [r12 + S_XSAVE]
    mov eax, 1
    xchg [r12 + S_SAVED], eax
1:  jmp rbp

order:
    mov r15d, eax
    mov [r13 + K_SEEN], eax
    mov eax, [r14 + L_ORDER]
    cmp eax, 2
    jb run
    je save
    cmp eax, 4
    jb make
    lea rbp, [rip + 1f]              # wake another, and sleep at once
    jmp save_state
1:  mov eax, 1
    xchg [r13 + K_ASLEEP], eax
    mov [r13 + K_DONE], r15d
    mov rdi, [r14 + L_ARG]
    mov esi, 1                       # FUTEX_WAKE
    mov edx, 1
    mov eax, 202
    lea rbp, [rip + sleep]
    jmp call_host

save:
    lea rbp, [rip + answered]
    jmp save_state
answered:
    mov eax, r15d
    xchg [r13 + K_DONE], eax
    jmp wait

make:
    mov rbx, [r14 + L_ARG]
    mov rdi, [r14 + L_CLONE]
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    lea rbp, [rip + 1f]
    jmp call_host
1:  test rax, rax
    jnz 2f
    mov r13, rbx
    jmp carrier
2:  mov [r13 + K_RESULT], rax
    jmp answered

run:
    cmp r12, [r14 + L_SLOT]
    je 2f
    lea rbp, [rip + 1f]
    jmp save_state
1:  mov r12, [r14 + L_SLOT]
    mov [r13 + K_SLOT], r12
    jmp restore
2:  test dword ptr [r14 + L_FLAGS], 2
    jz loaded
restore:
    mov eax, -1
    mov edx, -1
    xrstor64 [r12 + S_XSAVE]
loaded:
    mov [r12 + S_CARRIER], r13
    mov dword ptr [r12 + S_SAVED], 0
resume:
    mov rax, [r12 + S_FSBASE]
    wrfsbase rax
    mov rax, [r12 + S_GSBASE]
    wrgsbase rax
    cmp dword ptr [r13 + K_INTR], 0
    jne interrupted
    test dword ptr [r14 + L_FLAGS], 1
    jnz all_registers
    mov r11, r12
    mov rax, [r11 + S_FLAGS]
    add al, 127
    sahf
    mov rax, [r11 + S_REGS]
    mov rbx, [r11 + S_REGS + 8]
    mov rdx, [r11 + S_REGS + 24]
    mov rsi, [r11 + S_REGS + 32]
    mov rdi, [r11 + S_REGS + 40]
    mov rbp, [r11 + S_REGS + 48]
    mov r8, [r11 + S_REGS + 56]
    mov r9, [r11 + S_REGS + 64]
    mov r10, [r11 + S_REGS + 72]
    mov r12, [r11 + S_REGS + 88]
    mov r13, [r11 + S_REGS + 96]
    mov r14, [r11 + S_REGS + 104]
    mov r15, [r11 + S_REGS + 112]
    mov rsp, [r11 + S_IRET + 24]
    mov rcx, [r11 + S_RESUME]
    jmp rcx
all_registers:
    lea rsp, [r12 + S_IRET]
    .set AT, S_REGS - S_IRET
    mov rax, [rsp + AT]
    mov rbx, [rsp + AT + 8]
    mov rcx, [rsp + AT + 16]
    mov rdx, [rsp + AT + 24]
    mov rsi, [rsp + AT + 32]
    mov rdi, [rsp + AT + 40]
    mov rbp, [rsp + AT + 48]
    mov r8, [rsp + AT + 56]
    mov r9, [rsp + AT + 64]
    mov r10, [rsp + AT + 72]
    mov r11, [rsp + AT + 80]
    mov r12, [rsp + AT + 88]
    mov r13, [rsp + AT + 96]
    mov r14, [rsp + AT + 104]
    mov r15, [rsp + AT + 112]
    iretq
resume_end:

interrupted:
    mov dword ptr [r13 + K_INTR], 0
    mov dword ptr [r12 + S_KIND], 0x10a
    jmp stopped
