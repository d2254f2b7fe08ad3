// SPDX-License-Identifier: Apache-2.0
// syscalls: seccomp prctl
// A process that gives up calls.
// needs: root
#include "../guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 7),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog filter = {sizeof program / sizeof *program, program};
static volatile int code, reason, number;
static void on_sys(int s, siginfo_t *i, void *c) {
    (void)s, (void)c;
    code = i->si_code;
    reason = i->si_errno;
    number = i->si_syscall;
}
static void apply(void) {
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    long r = SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
    if (r < 0 && errno == ENOSYS) SKIP("no seccomp here");
    CHECK_EQ(r, 0);
}

TEST(errno_trap_and_kill) {
    struct sigaction a = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    OK(sigaction(SIGSYS, &a, NULL));
    apply();
    CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
    CHECK_ERR(SYS(getppid), EXDEV);
    SYS(getsid, 0);
    CHECK_EQ(code, 1 /* SYS_SECCOMP */);
    CHECK_EQ(reason, 7);
    CHECK_EQ(number, SYS_getsid);
    CHECK(SYS(getpid) > 0);
    // A child has the filter too.
    CHECK_KILLED(CHILD(SYS(getpgrp)), SIGSYS);
}
TEST(strict) {
    CHECK_KILLED(CHILD(
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) < 0) kill(getpid(), SIGKILL);
        if (write(2, "", 0) != 0) SYS(exit, 1);
        SYS(getpid);
        SYS(exit, 1)), SIGKILL);
}
TEST(refusals) {
    struct sock_fprog none = {0, program}, wild = {2, BAD_POINTER};
    CHECK_ERR(SYS(seccomp, 99, 0, NULL), EINVAL);
    CHECK_EXIT(CHILD(
        OK(setuid(1000));
        CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), EACCES)), 0);
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &none), EINVAL);
    CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &wild), EFAULT);
    CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 1 << 20, &filter), EINVAL);
    struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    struct sock_fprog open_ended = {1, endless};
    CHECK_ERR(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &open_ended), EINVAL);
}
