// SPDX-License-Identifier: Apache-2.0
// syscalls: setsid getsid setpgid getpgid getpgrp
// Process groups and sessions.
#include "../guest.h"

TEST(a_group_of_ones_own) {
    pid_t old = SYS(getpgrp);
    CHECK_EQ(SYS(getpgid, 0), old);
    CHECK_EXIT(CHILD(
        CHECK_EQ(getpgrp(), old);
        OK(SYS(setpgid, 0, 0));
        CHECK_EQ(getpgrp(), getpid());
        OK(setpgid(0, 0))), 0);
}
TEST(moving_a_child) {
    int p[2];
    char x;
    OK(pipe(p));
    pid_t a = CHILD(read(p[0], &x, 1)), b = CHILD(read(p[0], &x, 1));
    OK(setpgid(a, a));
    OK(setpgid(b, a));
    CHECK_EQ(getpgid(b), a);
    CHECK_ERR(setpgid(b, 999999), EPERM);
    CHECK_ERR(setpgid(a, -1), EINVAL);
    CHECK_ERR(setpgid(999999, 0), ESRCH);
    CHECK_ERR(setpgid(1, 0), ESRCH);
    CHECK_EQ(write(p[1], "xy", 2), 2);
    CHECK_EXIT(a, 0);
    CHECK_EXIT(b, 0);
}
TEST(a_child_that_has_run_exec_stays) {
    pid_t pid = CHILD(execl("/proc/self/exe", "sessions", "sleeper", (char *)NULL));
    for (int i = 0; i < 1000; i++) {
        if (setpgid(pid, pid) == -1) {
            CHECK_EQ(errno, EACCES);
            OK(kill(pid, SIGKILL));
            CHECK_KILLED(pid, SIGKILL);
            return;
        }
        sleep_ms(1);
    }
    FAIL("setpgid still worked after exec");
}
__attribute__((constructor(101))) static void sleeper(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "sleeper") == 0)
        for (;;) pause();
}
TEST(a_new_session) {
    pid_t old = SYS(getsid, 0);
    CHECK_EXIT(CHILD(
        CHECK_EQ(getsid(0), old);
        CHECK_EQ(SYS(setsid), getpid());
        CHECK_EQ(getsid(0), getpid());
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERR(setsid(), EPERM);
        CHECK_ERR(setpgid(0, 0), EPERM)), 0);
}
TEST(other_sessions_are_out_of_reach) {
    int p[2], ready[2];
    char x;
    OK(pipe(p));
    OK(pipe(ready));
    pid_t a = CHILD(setsid(); write(ready[1], "r", 1); read(p[0], &x, 1));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    CHECK_EQ(getsid(a), a);
    CHECK_ERR(setpgid(a, getpgrp()), EPERM);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EXIT(a, 0);
    CHECK_ERR(getsid(999999), ESRCH);
    CHECK_ERR(getpgid(999999), ESRCH);
    CHECK_ERR(getpgid(-1), ESRCH);
}
TEST(orphaned_stopped_groups_are_woken) {
    int p[2];
    OK(pipe(p));
    CHECK_EXIT(CHILD(
        // A session of its own, so that whoever takes the orphan over is in another one.
        setsid();
        if (fork() == 0) {
            sigset_t m;
            sigemptyset(&m);
            sigaddset(&m, SIGHUP);
            sigprocmask(SIG_BLOCK, &m, NULL);
            setpgid(0, 0);
            raise(SIGSTOP);
            siginfo_t i;
            int s = sigwaitinfo(&m, &i);
            write(p[1], s == SIGHUP ? "y" : "n", 1);
            _exit(0);
        }
        int status;
        pid_t c = waitpid(-1, &status, WUNTRACED);
        CHECK(c > 0 && WIFSTOPPED(status))), 0);
    char x;
    CHECK_EQ(read(p[0], &x, 1), 1);
    CHECK_EQ(x, 'y');
}
