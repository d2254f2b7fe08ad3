// SPDX-License-Identifier: Apache-2.0
// syscalls: ptrace
// One process in charge of another.
#include "../guest.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static pid_t traced(void) {
    pid_t pid = CHILD(
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) _exit(errno == ENOSYS ? 77 : 1);
        raise(SIGSTOP);
        SYS(getpid);
        _exit(5));
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) SKIP("no ptrace here");
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    return pid;
}

TEST(stop_and_go_on) {
    pid_t pid = traced();
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 5);
}
TEST(memory_and_registers) {
    static long word = 0x1234;
    pid_t pid = traced();
    errno = 0;
    CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &word, 0), 0x1234);
    OK(ptrace(PTRACE_POKEDATA, pid, &word, 0x5678));
    CHECK_EQ(ptrace(PTRACE_PEEKDATA, pid, &word, 0), 0x5678);
    CHECK_EQ(word, 0x1234);
    struct user_regs_struct r;
    OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
    CHECK(r.rip != 0 && r.rsp != 0);
    CHECK_ERR(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 5);
}
TEST(system_call_stops) {
    pid_t pid = traced();
    int status, seen = 0;
    OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
    for (;;) {
        OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) break;
        CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
        struct user_regs_struct r;
        OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
        seen += r.orig_rax == SYS_getpid;
    }
    CHECK_EQ(WEXITSTATUS(status), 5);
    CHECK_EQ(seen, 2);
}
TEST(signals_pass_by_the_tracer) {
    pid_t pid = traced();
    int status;
    OK(kill(pid, SIGTERM));
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), SIGTERM);
    // Swallowed.
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 5);
}
TEST(single_steps) {
    pid_t pid = traced();
    int status;
    struct user_regs_struct a, b;
    OK(ptrace(PTRACE_GETREGS, pid, 0, &a));
    OK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WSTOPSIG(status), SIGTRAP);
    OK(ptrace(PTRACE_GETREGS, pid, 0, &b));
    CHECK(a.rip != b.rip);
    OK(ptrace(PTRACE_DETACH, pid, 0, 0));
    CHECK_EXIT(pid, 5);
}
TEST(attaching) {
    pid_t pid = CHILD(for (;;) pause());
    int status;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0 && errno == ENOSYS) SKIP("no ptrace here");
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    OK(ptrace(PTRACE_DETACH, pid, 0, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    CHECK_ERR(ptrace(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
    CHECK_ERR(ptrace(PTRACE_CONT, getppid(), 0, 0), ESRCH);
}
