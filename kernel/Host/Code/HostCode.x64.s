# SPDX-License-Identifier: Apache-2.0
# Machine code that the managed side cannot be: raw system calls, fault-tolerant copies, and children that never
# return to managed code. Position independent. Assembled by assemble.sh into HostCode.X64.cs.
#
# Calling convention: System V AMD64. No function here uses the heap, libc or thread-local storage.

    .intel_syntax noprefix
    .text
    .globl syscall6, read_tsc, script_clone, sigreturn_trampoline, fault_handler, trap_handler
    .globl safe_begin, safe_end, safe_fixup
    .globl safe_copy, safe_zero, safe_load32, safe_cas32, safe_xchg32, safe_add32, safe_or32, safe_and32, safe_xor32
    .globl prev_segv, prev_bus

# long syscall6(long nr, long a0 .. a5): the kernel's return value, -errno on failure.
syscall6:
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    mov r10, r8
    mov r8, r9
    mov r9, [rsp+8]
    syscall
    ret

# ulong read_tsc(): the time-stamp counter, not before what was loaded before.
read_tsc:
    lfence
    rdtsc
    shl rdx, 32
    or rax, rdx
    ret

# long script_clone(ulong flags, step *script): clones; the child runs the script's steps and never returns.
# A step is 9 quadwords: number, six arguments, mode, result (written by the child; -4096 beforehand).
# Mode 0: a negative result ends the child with status 127. Mode 1: the result is ignored.
# The child touches no stack, so CLONE_VM|CLONE_VFORK is safe.
script_clone:
    push r12
    mov r12, rsi
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    syscall
    test rax, rax
    jz 1f
    pop r12
    ret
1:  mov rax, [r12]
    mov rdi, [r12+8]
    mov rsi, [r12+16]
    mov rdx, [r12+24]
    mov r10, [r12+32]
    mov r8, [r12+40]
    mov r9, [r12+48]
    syscall
    mov [r12+64], rax
    test rax, rax
    jns 2f
    cmp qword ptr [r12+56], 0
    je 3f
2:  add r12, 72
    jmp 1b
3:  mov edi, 127
    mov eax, 231
    syscall
    hlt

# The restorer of fault_handler's signal frame.
sigreturn_trampoline:
    mov eax, 15
    syscall
    hlt

# void fault_handler(int signo, siginfo_t *info, ucontext_t *uc): a fault between safe_begin and safe_end resumes at
# safe_fixup; any other fault goes on to the handler that was there before (the runtime's), or to the default action.
fault_handler:
    mov rax, [rdx+168]
    lea rcx, [rip+safe_begin]
    cmp rax, rcx
    jb 1f
    lea rcx, [rip+safe_end]
    cmp rax, rcx
    jae 1f
    lea rcx, [rip+safe_fixup]
    mov [rdx+168], rcx
    ret
1:  cmp edi, 7
    je 2f
    mov rax, [rip+prev_segv]
    jmp 3f
2:  mov rax, [rip+prev_bus]
3:  cmp rax, 1
    jbe 4f
    jmp rax
# No previous handler: restore the default action, so that the retried instruction ends the process.
4:  sub rsp, 40
    xor eax, eax
    mov [rsp], rax
    mov [rsp+8], rax
    mov [rsp+16], rax
    mov [rsp+24], rax
    mov rsi, rsp
    xor edx, edx
    mov r10d, 8
    mov eax, 13
    syscall
    add rsp, 40
    ret

# void trap_handler(int signo, siginfo_t *info, ucontext_t *uc): SIGSYS, our own filter refused a host call. Writes one
# line that names the call to the report's descriptors, and ends the process with the report's status.
# The report (FilterTrap.Unsafe.cs) is pointed at by the first quadword behind the code page:
#   0 status, 8 number of names, 16 and 24 descriptors (-1: none), 32 prefix: length and 120 bytes,
#   160 names: for each call, and one more for those beyond, length and 24 bytes.
trap_handler:
    mov r12d, [rsi+24]
    lea rbx, [rip+syscall6]
    mov rbx, [rbx+4096]
    test rbx, rbx
    jz 9f
    cmp r12, [rbx+8]
    jbe 1f
    mov r12, [rbx+8]
1:  shl r12, 5
    lea r12, [rbx+r12+160]
    sub rsp, 192
    mov rdi, rsp
    mov rcx, [rbx+32]
    lea rsi, [rbx+40]
    rep movsb
    mov rcx, [r12]
    lea rsi, [r12+8]
    rep movsb
    mov byte ptr [rdi], 10
    inc rdi
    mov r13, rdi
    sub r13, rsp
    mov edi, [rbx+16]
    mov rsi, rsp
    mov rdx, r13
    mov eax, 1
    syscall
    mov edi, [rbx+24]
    mov rsi, rsp
    mov rdx, r13
    mov eax, 1
    syscall
    mov edi, [rbx]
    mov eax, 231
    syscall
9:  hlt

# Every function from here to safe_end is a leaf that leaves rsp alone, so safe_fixup can return for it.
safe_begin:
# long safe_copy(void *dst, const void *src, ulong len): bytes not copied (0 when all were).
safe_copy:
    mov rcx, rdx
    cmp rdx, 64
    ja 1f
    cmp rdx, 8
    jb 1f
# 8..64 bytes: whole quadwords, then an overlapping tail. On a fault rcx says more remains than may be true: the
# caller treats any remainder as a fault at its first page, which is what it reports to the guest.
2:  mov rax, [rsi]
    mov [rdi], rax
    add rsi, 8
    add rdi, 8
    sub rcx, 8
    cmp rcx, 8
    jae 2b
    test rcx, rcx
    jz 3f
    mov rax, [rsi+rcx-8]
    mov [rdi+rcx-8], rax
3:  xor eax, eax
    ret
1:  rep movsb
    xor eax, eax
    ret
# long safe_zero(void *dst, ulong len): bytes not zeroed.
safe_zero:
    mov rcx, rsi
    xor eax, eax
    rep stosb
    ret
# long safe_load32(uint *p, uint *out): 0, or 4 on a fault.
safe_load32:
    mov ecx, 4
    mov eax, [rdi]
    mov [rsi], eax
    xor eax, eax
    ret
# long safe_cas32(uint *p, uint expected, uint desired, uint *seen): 0, or 4 on a fault.
safe_cas32:
    mov r8, rcx
    mov ecx, 4
    mov eax, esi
    lock cmpxchg [rdi], edx
    mov [r8], eax
    xor eax, eax
    ret
# long safe_xchg32(uint *p, uint value, uint *old)
safe_xchg32:
    mov ecx, 4
    xchg [rdi], esi
    mov [rdx], esi
    xor eax, eax
    ret
# long safe_add32(uint *p, uint value, uint *old)
safe_add32:
    mov ecx, 4
    lock xadd [rdi], esi
    mov [rdx], esi
    xor eax, eax
    ret
# long safe_or32 / safe_and32 / safe_xor32(uint *p, uint value, uint *old)
safe_or32:
    mov ecx, 4
    mov eax, [rdi]
1:  mov r8d, eax
    or r8d, esi
    lock cmpxchg [rdi], r8d
    jne 1b
    mov [rdx], eax
    xor eax, eax
    ret
safe_and32:
    mov ecx, 4
    mov eax, [rdi]
1:  mov r8d, eax
    and r8d, esi
    lock cmpxchg [rdi], r8d
    jne 1b
    mov [rdx], eax
    xor eax, eax
    ret
safe_xor32:
    mov ecx, 4
    mov eax, [rdi]
1:  mov r8d, eax
    xor r8d, esi
    lock cmpxchg [rdi], r8d
    jne 1b
    mov [rdx], eax
    xor eax, eax
    ret
safe_end:
safe_fixup:
    mov rax, rcx
    ret

    .balign 8
prev_segv: .quad 0
prev_bus: .quad 0
