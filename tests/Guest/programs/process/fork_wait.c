// SPDX-License-Identifier: Apache-2.0
// syscalls: fork vfork clone clone3 exit exit_group wait4 waitid getpid getppid gettid set_tid_address
// Making processes and hearing of their end.
#include "../guest.h"
#include <linux/sched.h>
#include <sys/resource.h>

TEST(fork_gives_two) {
    pid_t parent = getpid();
    pid_t pid = OK(SYS(fork));
    if (pid == 0) {
        CHECK(getpid() != parent);
        CHECK_EQ(SYS(getppid), parent);
        CHECK_EQ(SYS(gettid), SYS(getpid));
        _exit(7);
    }
    int status;
    CHECK_EQ(wait4(pid, &status, 0, NULL), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
}
TEST(vfork_stops_the_parent) {
    volatile int seen = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        sleep_ms(20);
        seen = 1;
        _exit(3);
    }
    CHECK_EQ(seen, 1);
    CHECK_EXIT(pid, 3);
}
TEST(exit_status_is_a_byte) {
    CHECK_EXIT(CHILD(_exit(256 + 9)), 9);
    CHECK_EXIT(CHILD(SYS(exit_group, 300)), 44);
    CHECK_EXIT(CHILD(SYS(exit, 5)), 5);
}
TEST(wait_for_any) {
    pid_t a = CHILD(_exit(1)), b = CHILD(_exit(2));
    int status, sum = 0;
    for (int i = 0; i < 2; i++) {
        pid_t p = OK(wait4(-1, &status, 0, NULL));
        CHECK(p == a || p == b);
        sum += WEXITSTATUS(status);
    }
    CHECK_EQ(sum, 3);
    CHECK_ERR(wait4(-1, &status, 0, NULL), ECHILD);
}
TEST(wait_for_a_group) {
    pid_t a = CHILD(setpgid(0, 0); sleep_ms(20); _exit(1)), b = CHILD(_exit(2));
    setpgid(a, a);
    int status;
    CHECK_EQ(waitpid(-a, &status, 0), a);
    CHECK_EQ(waitpid(0, &status, 0), b);
    CHECK_ERR(waitpid(-a, &status, 0), ECHILD);
}
TEST(do_not_hang) {
    int status = 99, go[2];
    char x;
    OK(pipe(go));
    pid_t pid = CHILD(read(go[0], &x, 1));
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(status, 99);
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EXIT(pid, 0);
}
TEST(usage_of_a_child) {
    struct rusage u;
    memset(&u, 0xff, sizeof u);
    pid_t pid = CHILD(burn_ms(20));
    int status;
    CHECK_EQ(wait4(pid, &status, 0, &u), pid);
    CHECK_EQ(u.ru_utime.tv_sec, 0);
    CHECK(u.ru_utime.tv_usec + u.ru_stime.tv_usec > 1000);
}
TEST(stopped_and_continued) {
    pid_t pid = CHILD(for (;;) pause());
    int status;
    OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
    OK(kill(pid, SIGCONT));
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status));
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(waitid_tells_more) {
    siginfo_t i;
    pid_t pid = CHILD(_exit(5));
    memset(&i, 0, sizeof i);
    OK(waitid(P_PID, pid, &i, WEXITED | WNOWAIT));
    CHECK_EQ(i.si_signo, SIGCHLD);
    CHECK_EQ(i.si_code, CLD_EXITED);
    CHECK_EQ(i.si_pid, pid);
    CHECK_EQ(i.si_uid, getuid());
    CHECK_EQ(i.si_status, 5);
    OK(waitid(P_ALL, 0, &i, WEXITED));
    CHECK_ERR(waitid(P_PID, pid, &i, WEXITED), ECHILD);
    pid = CHILD(raise(SIGUSR1));
    OK(waitid(P_PID, pid, &i, WEXITED));
    CHECK_EQ(i.si_code, CLD_KILLED);
    CHECK_EQ(i.si_status, SIGUSR1);
    pid = CHILD(for (;;) pause());
    OK(kill(pid, SIGSTOP));
    OK(waitid(P_PID, pid, &i, WSTOPPED));
    CHECK_EQ(i.si_code, CLD_STOPPED);
    CHECK_EQ(i.si_status, SIGSTOP);
    OK(kill(pid, SIGCONT));
    OK(waitid(P_PID, pid, &i, WCONTINUED));
    CHECK_EQ(i.si_code, CLD_CONTINUED);
    memset(&i, 0xff, sizeof i);
    OK(waitid(P_PID, pid, &i, WEXITED | WNOHANG));
    CHECK_EQ(i.si_pid, 0);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(waitid_by_group) {
    siginfo_t i;
    pid_t pid = CHILD(setpgid(0, 0); sleep_ms(10));
    setpgid(pid, pid);
    OK(waitid(P_PGID, pid, &i, WEXITED));
    CHECK_EQ(i.si_pid, pid);
}
TEST(wait_refusals) {
    siginfo_t i;
    int status;
    CHECK_ERR(waitpid(-1, &status, 1 << 20), EINVAL);
    CHECK_ERR(waitpid(getpid(), &status, 0), ECHILD);
    CHECK_ERR(waitpid(1, &status, 0), ECHILD);
    CHECK_ERR(waitid(P_ALL, 0, &i, 0), EINVAL);
    CHECK_ERR(waitid(99, 0, &i, WEXITED), EINVAL);
    CHECK_ERR(SYS(wait4, INT_MIN, &status, 0, NULL), ESRCH);
    pid_t pid = CHILD(_exit(0));
    CHECK_ERR(SYS(wait4, pid, BAD_POINTER, 0, NULL), EFAULT);
}
TEST(orphans_go_to_another_parent) {
    int p[2];
    pid_t now = 0;
    OK(pipe(p));
    CHECK_EXIT(CHILD(
        pid_t me = getpid();
        if (fork() == 0) {
            while (getppid() == me) usleep(500);
            now = getppid();
            write(p[1], &now, sizeof now);
            _exit(0);
        }), 0);
    CHECK_EQ(read(p[0], &now, sizeof now), sizeof now);
    CHECK_EQ(now, 1);
}
TEST(ignored_children_leave_nothing) {
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = CHILD(_exit(1));
    int status;
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
    signal(SIGCHLD, SIG_DFL);
    struct sigaction a = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    OK(sigaction(SIGCHLD, &a, NULL));
    pid = CHILD(_exit(1));
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
}
TEST(a_zombie_stays_until_asked) {
    pid_t pid = CHILD(_exit(0));
    sleep_ms(20);
    OK(kill(pid, 0));
    CHECK_EXIT(pid, 0);
    CHECK_ERR(kill(pid, 0), ESRCH);
}
TEST(many_children) {
    enum { count = 100 };
    pid_t pids[count];
    for (int i = 0; i < count; i++) pids[i] = CHILD(_exit(i));
    for (int i = 0; i < count; i++) CHECK_EXIT(pids[i], i);
}
TEST(deep_generations) {
    CHECK_EXIT(CHILD(
        for (int i = 0; i < 20; i++) {
            pid_t pid = fork();
            if (pid == 0) continue;
            int status;
            waitpid(pid, &status, 0);
            _exit(WEXITSTATUS(status) + 1);
        }
        _exit(0)), 20);
}
TEST(bare_clone) {
    pid_t tid = 0;
    pid_t pid = OK(SYS(clone, SIGCHLD | CLONE_PARENT_SETTID, NULL, &tid, NULL, NULL));
    if (pid == 0) _exit(4);
    CHECK_EQ(tid, pid);
    CHECK_EXIT(pid, 4);
}
TEST(clone_with_another_signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, &set, NULL));
    pid_t pid = OK(SYS(clone, SIGUSR1, NULL, NULL, NULL, NULL));
    if (pid == 0) _exit(0);
    siginfo_t i;
    CHECK_EQ(sigwaitinfo(&set, &i), SIGUSR1);
    CHECK_EQ(i.si_pid, pid);
    int status;
    CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
    CHECK_EQ(waitpid(pid, &status, __WALL), pid);
}
TEST(clone_without_a_signal) {
    pid_t pid = OK(SYS(clone, 0, NULL, NULL, NULL, NULL));
    if (pid == 0) _exit(6);
    int status;
    CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
    CHECK_EQ(WEXITSTATUS(status), 6);
}
static int shared_value;
static int in_child(void *a) {
    shared_value = 11;
    chdir("/");
    close((int)(long)a);
    return 8;
}
TEST(clone_sharing_things) {
    static char stack[65536] __attribute__((aligned(16)));
    int fd = OK(dup(0)), status;
    pid_t pid = OK(clone(in_child, stack + sizeof stack, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, (void *)(long)fd));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 8);
    CHECK_EQ(shared_value, 11);
    CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
    char b[64];
    CHECK(getcwd(b, sizeof b) != NULL);
    CHECK_STR(b, "/");
}
TEST(newer_clone) {
    int pidfd = -1;
    pid_t tid = 0;
    struct clone_args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD};
    a.pidfd = (uintptr_t)&pidfd;
    a.parent_tid = (uintptr_t)&tid;
    pid_t pid = SYS(clone3, &a, sizeof a);
    if (pid == 0) _exit(9);
    CHECK(pid > 0);
    CHECK_EQ(tid, pid);
    CHECK(pidfd > 2);
    CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    CHECK_EXIT(pid, 9);
}
TEST(clone_refusals) {
    struct clone_args a = {.exit_signal = SIGCHLD};
    CHECK_ERR(SYS(clone, CLONE_THREAD | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERR(SYS(clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERR(SYS(clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERR(SYS(clone3, &a, 8), EINVAL);
    CHECK_ERR(SYS(clone3, BAD_POINTER, sizeof a), EFAULT);
    a.exit_signal = 200;
    CHECK_ERR(SYS(clone3, &a, sizeof a), EINVAL);
    a.exit_signal = SIGCHLD;
    a.stack_size = 4096;
    CHECK_ERR(SYS(clone3, &a, sizeof a), EINVAL);
    a.stack_size = 0;
    a.flags = 1ull << 50;
    CHECK_ERR(SYS(clone3, &a, sizeof a), EINVAL);
}
TEST(clear_tid_on_exit) {
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *word = 77;
    CHECK_EXIT(CHILD(CHECK_EQ(SYS(set_tid_address, word), getpid())), 0);
    // Only a memory shared with another thread is cleared; a process alone in its memory leaves it.
    CHECK_EQ(*word, 77);
}
TEST(process_limit) {
    if (geteuid() != 0) SKIP("needs root");
    CHECK_EXIT(CHILD(
        struct rlimit l = {.rlim_cur = 1, .rlim_max = 1};
        OK(setrlimit(RLIMIT_NPROC, &l));
        OK(setuid(4321));
        CHECK_ERR(SYS(fork), EAGAIN)), 0);
}
