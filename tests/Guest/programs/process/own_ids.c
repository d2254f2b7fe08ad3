// SPDX-License-Identifier: Apache-2.0
// syscalls: getpid gettid getppid getuid geteuid getgid getegid
// needs: root
// cflags: -pthread
// What a thread asks about itself, again and again: a platform may answer from what it has been told. It must be told of every change, whoever makes it, and must not answer at all
// where somebody is to see the call. So each case asks often before something changes; where others make the change, the thread does nothing but ask until it sees it.
#include "../guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>

enum { often = 50, nobody = 65534 };

static int ask(void) {
    int pid = 0;
    for (int i = 0; i < often; i++) {
        pid = getpid();
        CHECK_EQ(SYS(getpid), pid);
        CHECK_EQ(SYS(gettid), gettid());
        CHECK_EQ(SYS(getppid), getppid());
        CHECK_EQ(SYS(getuid), getuid());
        CHECK_EQ(SYS(geteuid), geteuid());
        CHECK_EQ(SYS(getgid), getgid());
        CHECK_EQ(SYS(getegid), getegid());
    }
    return pid;
}
// What the kernel says elsewhere.
static int shown(const char *field) {
    char *text = strstr(get_file("/proc/thread-self/status"), field);
    CHECK(text != NULL);
    return atoi(text + strlen(field));
}
static void check_all(void) {
    ask();
    CHECK_EQ(getpid(), shown("\nTgid:"));
    CHECK_EQ(gettid(), shown("\nPid:"));
    CHECK_EQ(getppid(), shown("\nPPid:"));
    CHECK_EQ(getuid(), shown("\nUid:"));
    CHECK_EQ(getgid(), shown("\nGid:"));
}
__attribute__((constructor(101))) static void as_target(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "target") != 0) return;
    check_all();
    _exit(getpid() == atoi(argv[2]) && gettid() == getpid() && geteuid() == (uid_t)atoi(argv[3]) ? 0 : 1);
}
static void become_target(int pid, int user) {
    char p[16], u[16];
    sprintf(p, "%d", pid), sprintf(u, "%d", user);
    execv("/proc/self/exe", (char *[]){"own_ids", "target", p, u, NULL});
    _exit(9);
}

TEST(children) {
    int before = ask();
    int p[2], seen;
    OK(pipe(p));
    pid_t pid = CHILD(check_all(); CHECK_EQ(getppid(), before); seen = ask(); OK(write(p[1], &seen, sizeof seen)));
    CHECK_EQ(read(p[0], &seen, sizeof seen), sizeof seen);
    CHECK_EQ(seen, pid);
    CHECK_EXIT(pid, 0);
    CHECK_EQ(ask(), before);
}
static volatile int seen_by_child;
static int in_our_memory(void *a) {
    (void)a;
    seen_by_child = ask();
    _exit(0);
}
TEST(a_child_in_the_same_memory) {
    static char stack[65536];
    int before = ask();
    for (int i = 0; i < 3; i++) {
        pid_t pid = OK(clone(in_our_memory, stack + sizeof stack, CLONE_VM | (i == 1 ? 0 : CLONE_VFORK) | SIGCHLD, NULL));
        CHECK_EXIT(pid, 0);
        CHECK_EQ(seen_by_child, pid);
        CHECK_EQ(ask(), before);
    }
}
static void *thread_ids(void *a) {
    check_all();
    CHECK_EQ(getpid(), *(int *)a);
    return (void *)(long)gettid();
}
TEST(threads_one_after_another) {
    int pid = ask();
    long last = gettid();
    for (int i = 0; i < 5; i++) {
        pthread_t t;
        void *tid;
        CHECK_EQ(pthread_create(&t, NULL, thread_ids, &pid), 0);
        pthread_join(t, &tid);
        CHECK((long)tid != last && (long)tid != pid);
        last = (long)tid;
    }
    CHECK_EQ(gettid(), pid);
}
static pthread_barrier_t both;
static void *another_user(void *a) {
    ask();
    OK(SYS(setresgid, nobody, 7, -1));
    OK(SYS(setresuid, nobody, 6, -1)); // The raw call: this thread alone.
    CHECK_EQ(SYS(getuid), nobody);
    CHECK_EQ(SYS(geteuid), 6);
    CHECK_EQ(SYS(getgid), nobody);
    CHECK_EQ(SYS(getegid), 7);
    check_all();
    pthread_barrier_wait(&both);
    pthread_barrier_wait(&both);
    CHECK_EQ(geteuid(), 6);
    return a;
}
TEST(a_thread_with_another_user) {
    pthread_t t;
    check_all();
    CHECK_EQ(getuid(), 0);
    pthread_barrier_init(&both, NULL, 2);
    CHECK_EQ(pthread_create(&t, NULL, another_user, NULL), 0);
    pthread_barrier_wait(&both);
    check_all();
    CHECK_EQ(getuid() | geteuid() | getgid() | getegid(), 0);
    pthread_barrier_wait(&both);
    pthread_join(t, NULL);
    ask();
    OK(setuid(nobody));
    CHECK_EQ(getuid(), nobody);
    CHECK_EQ(geteuid(), nobody);
    check_all();
}
TEST(another_program) {
    ask();
    CHECK_EXIT(CHILD(become_target(ask(), 0)), 0);
    CHECK_EXIT(CHILD(OK(setresuid(0, nobody, 0)); become_target(ask(), nobody)), 0);
}
static void *execs(void *a) {
    CHECK(gettid() != ask());
    become_target(getpid(), 0);
    return a;
}
TEST(another_program_from_a_thread) {
    CHECK_EXIT(CHILD(
        pthread_t t;
        ask();
        pthread_create(&t, NULL, execs, NULL);
        for (;;) getpid()), 0);
}
TEST(a_pid_namespace) {
    ask();
    CHECK_EXIT(CHILD(
        int before = ask();
        OK(unshare(CLONE_NEWPID));
        CHECK_EQ(ask(), before);
        CHECK_EXIT(CHILD(CHECK_EQ(ask(), 1); CHECK_EQ(getppid(), 0)), 0)), 0);
}
TEST(a_user_namespace_that_gets_its_map) {
    int p[2];
    char x;
    OK(pipe(p));
    pid_t pid = CHILD(
        ask();
        if (unshare(CLONE_NEWUSER) < 0) _exit(77);
        CHECK_EQ(ask() > 0 ? getuid() : 0, nobody);
        CHECK_EQ(getegid(), nobody);
        OK(write(p[1], "", 1));
        close(p[1]);
        while (getuid() != 5) {
        }
        while (SYS(getegid) != 6) {
        }
        CHECK_EQ(geteuid(), 5));
    close(p[1]);
    if (read(p[0], &x, 1) == 1) {
        char path[64];
        sleep_ms(20);
        sprintf(path, "/proc/%d/uid_map", pid), put_file(path, "5 0 1\n");
        sleep_ms(20);
        sprintf(path, "/proc/%d/gid_map", pid), put_file(path, "6 0 1\n");
        CHECK_EXIT(pid, 0);
    }
}
TEST(a_parent_that_ends) {
    int p[2];
    int heir = ask(), other = 0;
    OK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    OK(pipe(p));
    pid_t parent = CHILD(
        int me = ask();
        CHILD(
            CHECK_EQ(getppid(), me);
            ask();
            OK(write(p[1], "", 1));
            while (getppid() == me) {
            }
            other = SYS(getppid);
            _exit(other == heir ? 3 : 4));
        sleep_ms(30));
    CHECK_EQ(read(p[0], &other, 1), 1);
    CHECK_EXIT(parent, 0);
    int status;
    OK(wait(&status));
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 3);
}

// Tracers.
static pid_t asking(void) {
    int p[2];
    char x;
    OK(pipe(p));
    pid_t pid = CHILD(
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ask();
        OK(write(p[1], "", 1));
        while (getpid() != 12345) {
        }
        _exit(8));
    CHECK_EQ(read(p[0], &x, 1), 1);
    sleep_ms(10);
    return pid;
}
static void see_calls(pid_t pid) {
    int status;
    struct user_regs_struct r;
    for (int i = 0; i < 20; i++) {
        OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WSTOPSIG(status), SIGTRAP);
        OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
        CHECK_EQ(r.orig_rax, SYS_getpid);
    }
    CHECK_EQ(r.rax, pid); // The twentieth is behind a call.
    r.rax = 12345;
    OK(ptrace(PTRACE_SETREGS, pid, 0, &r));
    OK(ptrace(PTRACE_DETACH, pid, 0, 0));
    CHECK_EXIT(pid, 8);
}
TEST(a_tracer_attaches) {
    pid_t pid = asking();
    int status;
    OK(ptrace(PTRACE_ATTACH, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    see_calls(pid);
}
TEST(a_tracer_seizes) {
    pid_t pid = asking();
    int status;
    OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
    sleep_ms(10);
    OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    see_calls(pid);
}
TEST(asks_to_be_traced) {
    int status;
    pid_t pid = CHILD(ask(); OK(ptrace(PTRACE_TRACEME, 0, 0, 0)); raise(SIGSTOP); while (getpid() != 12345) {} _exit(8));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    // The end of the raise first.
    OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    struct user_regs_struct r;
    for (OK(ptrace(PTRACE_GETREGS, pid, 0, &r)); r.orig_rax != SYS_getpid || r.rax == (unsigned long long)pid; OK(ptrace(PTRACE_GETREGS, pid, 0, &r))) {
        OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
    }
    OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    see_calls(pid);
}

// Filters.
static long deny(int number, unsigned flags) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog f = {4, code};
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return SYS(seccomp, SECCOMP_SET_MODE_FILTER, flags, &f);
}
TEST(a_filter) {
    ask();
    OK(deny(SYS_getuid, 0));
    CHECK_ERR(SYS(getuid), EXDEV);
    CHECK_EQ(getuid(), (uid_t)-EXDEV);
    CHECK_EQ(geteuid(), 0);
    CHECK_EXIT(CHILD(CHECK_ERR(SYS(getuid), EXDEV)), 0);
}
static volatile int asks, is_denied;
static void *asks_until_denied(void *a) {
    while (getuid() == 0) {
        asks = 1;
        if (is_denied && getuid() == 0) return (void *)1; // Behind the other's call no more.
    }
    return a;
}
TEST(a_filter_for_all_threads) {
    pthread_t t;
    void *late;
    ask();
    CHECK_EQ(pthread_create(&t, NULL, asks_until_denied, NULL), 0);
    while (!asks) sched_yield();
    sleep_ms(20);
    OK(deny(SYS_getuid, SECCOMP_FILTER_FLAG_TSYNC));
    is_denied = 1;
    pthread_join(t, &late);
    CHECK(late == NULL);
}
TEST(strict_mode) {
    ask();
    CHECK_KILLED(CHILD(ask(); OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)); getuid(); getuid(); SYS(exit, 0)), SIGKILL);
}

// Signals find a thread that does nothing but ask.
static volatile int *acknowledged;
static int handler_pid;
static void acknowledge(int s) {
    (void)s;
    CHECK_EQ(getpid(), handler_pid);
    ++*acknowledged;
}
TEST(signals_while_it_asks) {
    enum { rounds = 400 };
    acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = CHILD(
        handler_pid = ask();
        signal(SIGUSR1, acknowledge);
        *acknowledged = 1;
        for (;;) {
            int other = getpid();
            if (other != handler_pid || SYS(gettid) != handler_pid) _exit(1);
        });
    while (*acknowledged == 0) sched_yield();
    for (int i = 2; i < rounds; i++) {
        OK(kill(pid, SIGUSR1));
        while (*acknowledged != i) sched_yield();
    }
    int status;
    OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    OK(kill(pid, SIGCONT));
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
static volatile int ticks;
static void tick(int s) { (void)s, ticks++; }
TEST(timers_while_it_asks) {
    ask();
    signal(SIGALRM, tick);
    for (int i = 0; i < 200; i++) {
        struct itimerval once = {{0, 0}, {0, 200 + i}};
        int before = ticks;
        OK(setitimer(ITIMER_REAL, &once, NULL));
        while (ticks == before) getppid();
    }
}

// Nothing but rax, rcx and r11 changes.
TEST(registers_stay) {
    enum { carry = 1, parity = 4, adjust = 16, zero = 64, sign = 128, overflow = 0x800, all = carry | parity | adjust | zero | sign | overflow };
    static uint64_t in[13] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, out[13];
    uint64_t pid = ask();
    for (int i = 0; i < 64 * 4; i++) {
        uint64_t flags = (i & 1) | (i >> 1 & 1) << 2 | (i >> 2 & 1) << 4 | (i >> 3 & 1) << 6 | (i >> 4 & 1) << 7 | (uint64_t)(i >> 5 & 1) << 11, after, rax, rcx, here;
        __asm__ volatile(
            "push %%rbx\n\tpush %%rbp\n\tsub $128, %%rsp\n\t"
            "mov %[in], %%r15\n\tpush %[flags]\n\tpopfq\n\t"
            "mov (%%r15), %%rbx\n\tmov 8(%%r15), %%rdx\n\tmov 16(%%r15), %%rsi\n\tmov 24(%%r15), %%rdi\n\tmov 32(%%r15), %%rbp\n\tmov 40(%%r15), %%r8\n\t"
            "mov 48(%%r15), %%r9\n\tmov 56(%%r15), %%r10\n\tmov 64(%%r15), %%r12\n\tmov 72(%%r15), %%r13\n\tmov 80(%%r15), %%r14\n\tmovq %%r14, %%xmm7\n\t"
            "nop\n\tnop\n\tmov %[number], %%eax\n\tsyscall\n\t"
            "1: pushfq\n\tlea %[out], %%r11\n\tpopq 96(%%r11)\n\t"
            "mov %%rbx, (%%r11)\n\tmov %%rdx, 8(%%r11)\n\tmov %%rsi, 16(%%r11)\n\tmov %%rdi, 24(%%r11)\n\tmov %%rbp, 32(%%r11)\n\tmov %%r8, 40(%%r11)\n\t"
            "mov %%r9, 48(%%r11)\n\tmov %%r10, 56(%%r11)\n\tmov %%r12, 64(%%r11)\n\tmov %%r13, 72(%%r11)\n\tmov %%r14, 80(%%r11)\n\tmovq %%xmm7, 88(%%r11)\n\t"
            "lea 1b(%%rip), %%rdx\n\tadd $128, %%rsp\n\tpop %%rbp\n\tpop %%rbx"
            : "=a"(rax), "=c"(rcx), "=d"(here), [out] "=m"(out)
            : [flags] "r"(flags), [in] "r"(in), [number] "i"(SYS_getpid)
            : "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm7", "cc", "memory");
        after = out[12];
        CHECK_EQ(rax, pid);
        CHECK_EQ(rcx, here);
        CHECK_EQ(after & all, flags);
        for (int k = 0; k < 11; k++) CHECK_EQ(out[k], in[k]);
        CHECK_EQ(out[11], in[10]);
    }
}
