// SPDX-License-Identifier: Apache-2.0
// syscalls: restart_syscall
// Calls that do not exist, and doors other than the front one. Whatever happens, it happens to this process alone.
#include "../guest.h"
#include <setjmp.h>

static sigjmp_buf escape;
static volatile int fault;
static void on_fault(int s) {
    fault = s;
    siglongjmp(escape, 1);
}
static void catch_all(void) {
    struct sigaction a = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    OK(sigaction(SIGSEGV, &a, NULL));
    OK(sigaction(SIGILL, &a, NULL));
    OK(sigaction(SIGBUS, &a, NULL));
    OK(sigaction(SIGTRAP, &a, NULL));
    OK(sigaction(SIGSYS, &a, NULL));
}
static long raw(long number, long a, long b, long c) {
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}

TEST(unknown_numbers) {
    static const long numbers[] = {470, 500, 999, 1000, 4096, 65535, 0x3fffffff, 0x7fffffff, 0x80000000, -1, -100, -4096};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) CHECK_EQ(raw(numbers[i], 1, 2, 3), -ENOSYS);
    // The gap between the old numbers and the common ones.
    for (long n = 387; n < 424; n++) CHECK_EQ(raw(n, 0, 0, 0), -ENOSYS);
}
TEST(only_the_low_half_of_the_number_counts) {
    CHECK_EQ(raw(0x100000027, 0, 0, 0), getpid());
}
TEST(x32_numbers) {
    // Natively ENOSYS on a kernel without the x32 ABI, the call itself on one with it.
    long r = raw(0x40000000 | SYS_getpid, 0, 0, 0);
    CHECK(r == -ENOSYS || (!in_cvisor() && r == getpid()));
    CHECK_EQ(raw(0x40000000 | 999, 0, 0, 0), -ENOSYS);
}
TEST(the_old_interrupt) {
    catch_all();
    long r = 0;
    fault = 0;
    // 20 is getpid there. Natively it works (or faults without 32-bit support); it never reaches a host's kernel from a sandbox.
    if (sigsetjmp(escape, 1) == 0) __asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    if (in_cvisor()) CHECK(fault == SIGSEGV || r == -ENOSYS || r == getpid());
    else CHECK(fault || r == getpid() || r == -ENOSYS);
    CHECK(getppid() > 0);
}
static void enter(void) {
    __asm__ volatile("mov $20, %%eax\n\txor %%ebp, %%ebp\n\tsysenter" : : : "rax", "rcx", "rdx", "memory");
}
TEST(sysenter) {
    // It comes back with the user's stack and address lost: the process may die of it, by a signal and of nothing else.
    int status;
    pid_t pid = CHILD(enter());
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK((WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL)) || WIFEXITED(status));
}
TEST(the_vsyscall_page) {
    catch_all();
    fault = 0;
    long r = -1, t = 0;
    long (*vtime)(long *) = (void *)0xffffffffff600400;
    if (sigsetjmp(escape, 1) == 0) r = vtime(&t);
    // Emulated or not there at all.
    CHECK(fault == SIGSEGV || (r == t && r > 1700000000));
    fault = 0;
    if (sigsetjmp(escape, 1) == 0) ((long (*)(void))0xffffffffff600123)();
    CHECK_EQ(fault, SIGSEGV);
    fault = 0;
    if (sigsetjmp(escape, 1) == 0) *(volatile char *)0xffffffffff600000 = 1;
    CHECK_EQ(fault, SIGSEGV);
}
TEST(restart_on_its_own) { CHECK_EQ(raw(SYS_restart_syscall, 0, 0, 0), -EINTR); }
TEST(privileged_instructions) {
    catch_all();
#define TRY(text, expected)                                                          \
    do {                                                                             \
        fault = 0;                                                                   \
        if (sigsetjmp(escape, 1) == 0) __asm__ volatile(text : : : "rax", "rcx", "rdx", "memory"); \
        CHECK_EQ(fault, expected);                                                   \
    } while (0)
    TRY("hlt", SIGSEGV);
    TRY("cli", SIGSEGV);
    TRY("in $0x80, %%al", SIGSEGV);
    TRY("mov %%cr0, %%rax", SIGSEGV);
    TRY("wbinvd", SIGSEGV);
    TRY("mov $0x10, %%ecx\n\trdmsr", SIGSEGV);
    TRY("ud2", SIGILL);
    TRY("int3", SIGTRAP);
    TRY("int $0x42", SIGSEGV);
    TRY("mov $-1, %%rax\n\tjmp *%%rax", SIGSEGV);
    TRY("movabs $0x8000000000000000, %%rax\n\tjmp *%%rax", SIGSEGV);
}
TEST(jumping_into_the_kernels_half) {
    catch_all();
    fault = 0;
    if (sigsetjmp(escape, 1) == 0) ((void (*)(void))0xffffffff81000000)();
    CHECK_EQ(fault, SIGSEGV);
    fault = 0;
    if (sigsetjmp(escape, 1) == 0) (void)*(volatile char *)0xffffffff81000000;
    CHECK_EQ(fault, SIGSEGV);
}
TEST(single_step_flag) {
    catch_all();
    fault = 0;
    if (sigsetjmp(escape, 1) == 0)
        __asm__ volatile("pushf\n\torq $0x100, (%%rsp)\n\tpopf\n\tnop\n\tnop" : : : "memory", "cc");
    CHECK_EQ(fault, SIGTRAP);
}
TEST(odd_stacks_and_segments) {
    CHECK_KILLED(CHILD(__asm__ volatile("xor %%esp, %%esp\n\tpush %%rax" : : : "memory")), SIGSEGV);
    CHECK_KILLED(CHILD(__asm__ volatile("mov $0x1000, %%rsp\n\tcall *%%rax" : : "a"(0x1000) : "memory")), SIGSEGV);
    // A call needs no stack.
    long r;
    __asm__ volatile("mov %%rsp, %%rbx\n\txor %%esp, %%esp\n\tmov $39, %%eax\n\tsyscall\n\tmov %%rbx, %%rsp" : "=a"(r) : : "rbx", "rcx", "r11", "memory");
    CHECK_EQ(r, getpid());
}
TEST(registers_after_a_call) {
    unsigned long rbx = 1, r8 = 2, r9 = 3, r10 = 4, r12 = 5, rdi = 6, rsi = 7, rdx = 8;
    register unsigned long q8 __asm__("r8") = r8, q9 __asm__("r9") = r9, q10 __asm__("r10") = r10, q12 __asm__("r12") = r12;
    long r;
    __asm__ volatile("syscall" : "=a"(r), "+b"(rbx), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(q8), "+r"(q9), "+r"(q10), "+r"(q12) : "a"(SYS_getpid) : "rcx", "r11", "memory");
    CHECK_EQ(r, getpid());
    CHECK(rbx == 1 && rdi == 6 && rsi == 7 && rdx == 8 && q8 == 2 && q9 == 3 && q10 == 4 && q12 == 5);
}
