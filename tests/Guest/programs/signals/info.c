// SPDX-License-Identifier: Apache-2.0
// syscalls: rt_sigaction rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack rt_sigreturn
// What a handler is told; real-time queueing; alternate stacks; faults.
// cflags: -pthread
#include "../guest.h"
#include <setjmp.h>
#include <ucontext.h>

static volatile siginfo_t last;
static volatile int count, values[64];
static void on_info(int s, siginfo_t *i, void *c) {
    (void)s, (void)c;
    last = *i;
    values[count++] = i->si_value.sival_int;
}
static void handle(int s, int flags) {
    struct sigaction a = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO | flags};
    sigfillset(&a.sa_mask);
    OK(sigaction(s, &a, NULL));
}

TEST(sender) {
    handle(SIGUSR1, 0);
    OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(last.si_signo, SIGUSR1);
    CHECK_EQ(last.si_code, SI_USER);
    CHECK_EQ(last.si_pid, getpid());
    CHECK_EQ(last.si_uid, getuid());
    OK(raise(SIGUSR1));
    CHECK_EQ(last.si_code, SI_TKILL);
}
TEST(child_end) {
    handle(SIGCHLD, 0);
    pid_t pid = CHILD(_exit(17));
    while (count == 0) sleep_ms(1);
    CHECK_EQ(last.si_code, CLD_EXITED);
    CHECK_EQ(last.si_pid, pid);
    CHECK_EQ(last.si_status, 17);
    CHECK_EXIT(pid, 17);
}
TEST(queued_values_in_order) {
    handle(SIGRTMIN, 0);
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGRTMIN);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    for (int i = 0; i < 10; i++) {
        union sigval v = {.sival_int = i * i};
        OK(sigqueue(getpid(), SIGRTMIN, v));
    }
    CHECK_EQ(count, 0);
    OK(sigprocmask(SIG_UNBLOCK, &m, NULL));
    CHECK_EQ(count, 10);
    for (int i = 0; i < 10; i++) CHECK_EQ(values[i], i * i);
    CHECK_EQ(last.si_code, SI_QUEUE);
    CHECK_EQ(last.si_pid, getpid());
}
TEST(lower_numbers_first) {
    sigset_t m;
    sigemptyset(&m);
    for (int s = 0; s < 4; s++) {
        handle(SIGRTMIN + s, 0);
        sigaddset(&m, SIGRTMIN + s);
    }
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    for (int s = 3; s >= 0; s--) {
        union sigval v = {.sival_int = s};
        OK(sigqueue(getpid(), SIGRTMIN + s, v));
    }
    OK(sigprocmask(SIG_UNBLOCK, &m, NULL));
    CHECK_EQ(count, 4);
    // Each handler blocks all others, so the order of delivery is the order of the values.
    for (int s = 0; s < 4; s++) CHECK_EQ(values[s], s);
}
TEST(queue_refusals) {
    siginfo_t i = {.si_code = SI_USER};
    i.si_pid = getpid();
    CHECK_ERR(SYS(rt_sigqueueinfo, 1, SIGUSR1, &i), EPERM);
    i.si_code = SI_QUEUE;
    CHECK_ERR(SYS(rt_sigqueueinfo, 999999, SIGUSR1, &i), ESRCH);
    CHECK_ERR(SYS(rt_sigqueueinfo, getpid(), 99, &i), EINVAL);
    CHECK_ERR(SYS(rt_sigqueueinfo, getpid(), SIGUSR1, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &i), EINVAL);
}
TEST(to_one_thread) {
    handle(SIGUSR1, 0);
    siginfo_t i = {.si_code = SI_QUEUE};
    i.si_value.sival_int = 55;
    OK(SYS(rt_tgsigqueueinfo, getpid(), SYS(gettid), SIGUSR1, &i));
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_value.sival_int, 55);
    CHECK_EQ(last.si_code, SI_QUEUE);
}
static char *low, *high;
static volatile int on_other_stack, said_on_stack;
static void check_stack(int s) {
    (void)s;
    char here;
    stack_t st;
    sigaltstack(NULL, &st);
    on_other_stack = &here >= low && &here < high;
    said_on_stack = st.ss_flags;
}
TEST(alternate_stack) {
    stack_t st = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ}, old;
    low = st.ss_sp, high = low + SIGSTKSZ;
    OK(sigaltstack(NULL, &old));
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    OK(sigaltstack(&st, NULL));
    struct sigaction a = {.sa_handler = check_stack, .sa_flags = SA_ONSTACK};
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(on_other_stack, 1);
    CHECK_EQ(said_on_stack, SS_ONSTACK);
    a.sa_flags = 0;
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(on_other_stack, 0);
    OK(sigaltstack(NULL, &old));
    CHECK_EQ(old.ss_flags, 0);
    CHECK(old.ss_sp == st.ss_sp);
}
TEST(alternate_stack_refusals) {
    static char memory[65536];
    stack_t st = {.ss_sp = memory, .ss_size = 100};
    CHECK_ERR(sigaltstack(&st, NULL), ENOMEM);
    st.ss_size = sizeof memory;
    st.ss_flags = 99;
    CHECK_ERR(sigaltstack(&st, NULL), EINVAL);
    CHECK_ERR(SYS(sigaltstack, BAD_POINTER, NULL), EFAULT);
}
static volatile int change_result;
static void change_stack(int s) {
    (void)s;
    static char memory[65536];
    stack_t st = {.ss_sp = memory, .ss_size = sizeof memory};
    change_result = sigaltstack(&st, NULL) == -1 ? errno : 0;
}
TEST(alternate_stack_in_use_stays) {
    stack_t st = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ};
    OK(sigaltstack(&st, NULL));
    struct sigaction a = {.sa_handler = change_stack, .sa_flags = SA_ONSTACK};
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(change_result, EPERM);
}
static sigjmp_buf escape;
static void leave(int s, siginfo_t *i, void *c) {
    (void)s, (void)c;
    last = *i;
    siglongjmp(escape, 1);
}
static void catch_fault(int s) {
    struct sigaction a = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    OK(sigaction(s, &a, NULL));
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int endless(int n) {
    volatile char big[4096];
    big[0] = n;
    return endless(n + 1) + big[0];
}
TEST(stack_overflow_is_caught_on_the_other_stack) {
    stack_t st = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ};
    OK(sigaltstack(&st, NULL));
    struct { unsigned long now, max; } limit = {1 << 20, 1 << 20};
    OK(SYS(setrlimit, 3 /* RLIMIT_STACK */, &limit));
    catch_fault(SIGSEGV);
    if (sigsetjmp(escape, 1) == 0) endless(0);
    CHECK_EQ(last.si_signo, SIGSEGV);
}
TEST(memory_fault) {
    catch_fault(SIGSEGV);
    if (sigsetjmp(escape, 1) == 0) *(volatile int *)0x1234 = 1;
    CHECK_EQ(last.si_signo, SIGSEGV);
    CHECK_EQ(last.si_code, SEGV_MAPERR);
    CHECK(last.si_addr == (void *)0x1234);
    // A general protection fault names no address.
    if (sigsetjmp(escape, 1) == 0) *(volatile int *)0x8000123400000000 = 1;
    CHECK_EQ(last.si_code, SI_KERNEL);
}
TEST(arithmetic_fault) {
    catch_fault(SIGFPE);
    volatile int zero = 0, hundred = 100;
    if (sigsetjmp(escape, 1) == 0) zero = hundred / zero;
    CHECK_EQ(last.si_signo, SIGFPE);
    CHECK_EQ(last.si_code, FPE_INTDIV);
    CHECK_KILLED(CHILD(signal(SIGFPE, SIG_DFL); zero = hundred / zero), SIGFPE);
}
TEST(illegal_instruction) {
    catch_fault(SIGILL);
    if (sigsetjmp(escape, 1) == 0) __asm__ volatile("ud2");
    CHECK_EQ(last.si_signo, SIGILL);
    CHECK_EQ(last.si_code, ILL_ILLOPN);
}
TEST(breakpoint) {
    handle(SIGTRAP, 0);
    __asm__ volatile("int3");
    CHECK_EQ(last.si_signo, SIGTRAP);
    CHECK_EQ(last.si_code, SI_KERNEL);
}
TEST(a_blocked_fault_kills) {
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGSEGV);
    CHECK_KILLED(CHILD(catch_fault(SIGSEGV); sigprocmask(SIG_BLOCK, &m, NULL); *(volatile int *)8 = 1), SIGSEGV);
    CHECK_KILLED(CHILD(signal(SIGSEGV, SIG_IGN); *(volatile int *)8 = 1), SIGSEGV);
}
static void skip_instruction(int s, siginfo_t *i, void *c) {
    (void)s;
    last = *i;
    ucontext_t *u = c;
    u->uc_mcontext.gregs[REG_RIP] += 2;
    u->uc_mcontext.gregs[REG_RBX] = 0x77;
}
TEST(the_handler_may_change_registers) {
    struct sigaction a = {.sa_sigaction = skip_instruction, .sa_flags = SA_SIGINFO};
    OK(sigaction(SIGILL, &a, NULL));
    unsigned long rbx = 1;
    __asm__ volatile("mov $5, %%rbx\n\tud2\n\tmov %%rbx, %0" : "=r"(rbx) : : "rbx");
    CHECK_EQ(rbx, 0x77);
}
static void clobber(int s) {
    (void)s;
    __asm__ volatile("pxor %%xmm7, %%xmm7\n\txor %%r12, %%r12\n\tstd\n\tcld" : : : "xmm7", "r12");
}
TEST(registers_survive_a_handler) {
    struct sigaction a = {.sa_handler = clobber};
    OK(sigaction(SIGUSR1, &a, NULL));
    unsigned long in = 0x123456789abcdef0, out, r12;
    __asm__ volatile(
        "movq %2, %%xmm7\n\tmov %2, %%r12\n\tmov %3, %%rdi\n\tmov %4, %%rsi\n\tmov $62, %%eax\n\tsyscall\n\tmovq %%xmm7, %0\n\tmov %%r12, %1"
        : "=&r"(out), "=&r"(r12)
        : "r"(in), "r"((long)getpid()), "r"((long)SIGUSR1)
        : "rax", "rcx", "r11", "rdi", "rsi", "r12", "xmm7", "memory");
    CHECK_EQ(out, in);
    CHECK_EQ(r12, in);
}
TEST(context_holds_the_mask) {
    // sigreturn restores the mask the frame holds.
    handle(SIGUSR1, 0);
    sigset_t before, after;
    OK(sigprocmask(SIG_BLOCK, NULL, &before));
    OK(raise(SIGUSR1));
    OK(sigprocmask(SIG_BLOCK, NULL, &after));
    CHECK_EQ(memcmp(&before, &after, 8), 0);
}
TEST(bad_frame_kills) {
    // A stack that cannot take the frame: SIGSEGV.
    CHECK_KILLED(CHILD(
        handle(SIGUSR1, 0);
        __asm__ volatile("mov %0, %%rdi\n\tmov %1, %%rsi\n\tmov $62, %%eax\n\tmov $64, %%rsp\n\tsyscall" : : "r"((long)getpid()), "r"((long)SIGUSR1) : "rax", "rdi", "rsi");
        ), SIGSEGV);
}
