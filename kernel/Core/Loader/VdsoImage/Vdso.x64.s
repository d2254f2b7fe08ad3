# SPDX-License-Identifier: Apache-2.0
# The shared object that every guest program gets (vdso(7)): clocks read from the clock page, which lies one page below
# its ELF header. What the page cannot answer is asked of the kernel. Assembled by assemble.sh into VdsoX64.cs.
#
# The clock page (kernel/Core/Time/ClockPage.cs writes it), all 64-bit:
#   0  sequence: odd while it is written, 0 while there is nothing to read
#   8  time-stamp counter at the base        16 CLOCK_MONOTONIC at the base, ns
#  24  ns per count, times 2^32              32 CLOCK_REALTIME - CLOCK_MONOTONIC, ns

    .intel_syntax noprefix
    .text
    .globl __vdso_clock_gettime, __vdso_gettimeofday, __vdso_time, __vdso_clock_getres, __vdso_getcpu
    .globl clock_gettime, gettimeofday, time, clock_getres, getcpu
    .weak clock_gettime, gettimeofday, time, clock_getres, getcpu
    .type __vdso_clock_gettime, @function
    .type __vdso_gettimeofday, @function
    .type __vdso_time, @function
    .type __vdso_clock_getres, @function
    .type __vdso_getcpu, @function
    .type clock_gettime, @function
    .type gettimeofday, @function
    .type time, @function
    .type clock_getres, @function
    .type getcpu, @function

    .set page, __ehdr_start - 4096

# Reads the page: rax = CLOCK_MONOTONIC in ns, r10 = what to add for CLOCK_REALTIME; carry set when there is nothing.
# Changes rcx, rdx, r8, r9.
read_clock:
    mov r8, [rip + page]
    test r8, r8
    jz 9f
    test r8b, 1
    jnz 8f
    lfence
    rdtsc
    shl rdx, 32
    or rax, rdx
    sub rax, [rip + page + 8]
    jae 1f
    xor eax, eax                    # another processor's counter is a little behind: not before the base
1:  mul qword ptr [rip + page + 24]
    shrd rax, rdx, 32
    add rax, [rip + page + 16]
    mov r10, [rip + page + 32]
    cmp r8, [rip + page]
    jne read_clock
    clc
    ret
8:  pause
    jmp read_clock
9:  stc
    ret

# int clock_gettime(clockid_t clock, struct timespec *ts)
clock_gettime:
__vdso_clock_gettime:
    cmp edi, 7
    ja 5f
    mov ecx, 0b11100011             # REALTIME, MONOTONIC, the coarse ones of both, BOOTTIME; the others are for the kernel
    bt ecx, edi
    jnc 5f
    call read_clock
    jc 5f
    mov ecx, 0b00100001             # REALTIME, REALTIME_COARSE
    bt ecx, edi
    jnc 1f
    add rax, r10
1:  mov ecx, 0b01100000             # the coarse ones: whole ticks of 4 ms, as the kernel's (ClockTable.CoarseNs)
    bt ecx, edi
    jnc 2f
    mov r11, rax
    xor edx, edx
    mov ecx, 4000000
    div rcx
    sub r11, rdx
    mov rax, r11
2:  xor edx, edx
    mov ecx, 1000000000
    div rcx
    mov [rsi], rax
    mov [rsi + 8], rdx
    xor eax, eax
    ret
5:  mov eax, 228
    syscall
    ret

# int gettimeofday(struct timeval *tv, struct timezone *tz)
gettimeofday:
__vdso_gettimeofday:
    test rdi, rdi
    jz 5f
    test rsi, rsi
    jnz 5f
    call read_clock
    jc 5f
    add rax, r10
    xor edx, edx
    mov ecx, 1000000000
    div rcx
    mov [rdi], rax
    mov eax, edx
    xor edx, edx
    mov ecx, 1000
    div ecx
    mov [rdi + 8], rax
    xor eax, eax
    ret
5:  mov eax, 96
    syscall
    ret

# time_t time(time_t *t)
time:
__vdso_time:
    call read_clock
    jc 5f
    add rax, r10
    xor edx, edx
    mov ecx, 1000000000
    div rcx
    test rdi, rdi
    jz 1f
    mov [rdi], rax
1:  ret
5:  mov eax, 201
    syscall
    ret

# int clock_getres(clockid_t clock, struct timespec *ts)
clock_getres:
__vdso_clock_getres:
    mov eax, 229
    syscall
    ret

# int getcpu(unsigned *cpu, unsigned *node, void *unused)
getcpu:
__vdso_getcpu:
    mov eax, 309
    syscall
    ret

    .section .note.Linux, "a", @note
    .balign 4
    .long 2f - 1f
    .long 4f - 3f
    .long 0
1:  .asciz "Linux"
2:  .balign 4
3:  .long 0x040400                  # LINUX_VERSION_CODE 4.4.0
4:  .section .note.GNU-stack, "", @progbits
