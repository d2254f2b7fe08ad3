// SPDX-License-Identifier: Apache-2.0
// syscalls: seccomp prctl ptrace
// needs: root
// cflags: -pthread
// Filters over threads, programs and tracers.
#include "../guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

static long apply(unsigned flags, struct sock_filter *code, unsigned short length) {
    struct sock_fprog f = {length, code};
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return SYS(seccomp, SECCOMP_SET_MODE_FILTER, flags, &f);
}
static long deny(int number, unsigned action, unsigned flags) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return apply(flags, code, 4);
}
static volatile int go;
static void *asks(void *a) {
    (void)a;
    while (!go) sleep_ms(1);
    errno = 0;
    return SYS(getppid) == -1 ? (void *)(long)errno : (void *)-1;
}
TEST(all_threads_at_once) {
    pthread_t t;
    void *r;
    CHECK_EQ(pthread_create(&t, NULL, asks, NULL), 0);
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC), 0);
    go = 1;
    pthread_join(t, &r);
    CHECK_EQ((long)r, EXDEV);
}
static int other_tid;
static void *differs(void *a) {
    deny(SYS_getsid, SECCOMP_RET_ERRNO | EXDEV, 0);
    other_tid = SYS(gettid);
    go = 1;
    for (;;) pause();
    return a;
}
TEST(a_thread_that_differs) {
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, differs, NULL), 0);
    while (!go) sleep_ms(1);
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC), other_tid);
    CHECK_ERR(deny(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH), ESRCH);
}
static void *dies(void *a) {
    SYS(getppid);
    return a;
}
TEST(one_thread_dies) {
    pthread_t t;
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0), 0);
    CHECK_EQ(pthread_create(&t, NULL, dies, NULL), 0);
    sleep_ms(30);
    CHECK(SYS(getpid) > 0);
    CHECK_KILLED(CHILD(SYS(getppid)), SIGSYS);
}
TEST(the_strongest_answer) {
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_ERRNO | 5, 0), 0);
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_ERRNO | 6, 0), 0);
    CHECK_ERR(SYS(getppid), 6); // Of equals the newest.
    CHECK_EQ(deny(SYS_getppid, SECCOMP_RET_LOG, 0), 0);
    CHECK_ERR(SYS(getppid), 6);
    CHECK_EQ(deny(SYS_getsid, SECCOMP_RET_ERRNO, 0), 0);
    CHECK_EQ(SYS(getsid, 0), 0);
    CHECK_EQ(deny(SYS_getsid, SECCOMP_RET_TRACE, 0), 0);
    CHECK_EQ(SYS(getsid, 0), 0);
    CHECK_EQ(deny(SYS_getpgrp, SECCOMP_RET_TRACE, 0), 0);
    CHECK_ERR(SYS(getpgrp), ENOSYS);
    char *s = get_file("/proc/self/status");
    CHECK(strstr(s, "\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t6\n") != NULL);
}
TEST(arguments_and_arithmetic) {
    // Fails with the first argument's low word, times two, minus one.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LDX | BPF_MEM, 3),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    CHECK_EQ(apply(0, code, sizeof code / sizeof *code), 0);
    CHECK_ERR(SYS(getppid, 10), 19);
    CHECK_ERR(SYS(getppid, 1), 1);
}
TEST(malformed_filters) {
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
#define BAD(...) ({ struct sock_filter c[] = {__VA_ARGS__, BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}; CHECK_ERR(apply(0, c, sizeof c / sizeof *c), EINVAL); })
    BAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64));
    BAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2));
    BAD(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0));
    BAD(BPF_STMT(BPF_LD | BPF_MEM, 0));
    BAD(BPF_STMT(BPF_ST, 16));
    BAD(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0));
    BAD(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32));
    BAD(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3));
    BAD(BPF_STMT(BPF_JMP | BPF_JA, 1));
    BAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
    BAD(BPF_STMT(0xffff, 0));
    unsigned action = SECCOMP_RET_TRAP, unknown = 0x12340000;
    OK(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    CHECK_ERR(SYS(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown), EOPNOTSUPP);
    CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 9, 0, 0, 0), EINVAL);
}
TEST(a_tracer_decides) {
    pid_t pid = CHILD(
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        deny(SYS_getppid, SECCOMP_RET_TRACE | 77, 0);
        _exit(SYS(getppid) == 1234 ? 4 : 5));
    int status;
    unsigned long data;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP));
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
    OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &data));
    CHECK_EQ(data, 77);
    OK(ptrace(PTRACE_POKEUSER, pid, 15 * 8 /* orig_rax */, -1));
    OK(ptrace(PTRACE_POKEUSER, pid, 10 * 8 /* rax */, 1234));
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 4);
}
