// SPDX-License-Identifier: Apache-2.0
// syscalls: open dup socket eventfd2 epoll_create1 mmap brk fork kill rt_sigqueueinfo
// Running out of things, and dying of every signal.
#include "../guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

TEST(every_maker_of_descriptors_says_so) {
    struct rlimit l = {20, 20};
    OK(setrlimit(RLIMIT_NOFILE, &l));
    while (dup(0) >= 0) {
    }
    CHECK_EQ(errno, EMFILE);
    int p[2];
    CHECK_ERR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
    CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 0, p), EMFILE);
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_ERR(eventfd(0, 0), EMFILE);
    CHECK_ERR(epoll_create1(0), EMFILE);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 0), EMFILE);
    CHECK_ERR(memfd_create("x", 0), EMFILE);
    CHECK_ERR(SYS(inotify_init1, 0), EMFILE);
    CHECK_ERR(SYS(pidfd_open, getpid(), 0), EMFILE);
    // One place is not enough for two ends, and none is kept.
    OK(close(10));
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_EQ(open("/dev/null", O_RDONLY), 10);
}
TEST(thousands_of_descriptors) {
    struct rlimit l = {4096, 4096};
    if (setrlimit(RLIMIT_NOFILE, &l) < 0) SKIP("fewer descriptors are allowed here");
    int n = 0;
    while (eventfd(0, 0) >= 0) n++;
    CHECK_EQ(errno, EMFILE);
    CHECK(n > 4000);
    CHECK_EXIT(CHILD(CHECK_ERR(dup(0), EMFILE)), 0);
}
TEST(memory_by_limit) {
    struct rlimit l = {100 << 20, 100 << 20};
    OK(setrlimit(RLIMIT_AS, &l));
    char *last = NULL, *p;
    int n = 0;
    while ((p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED) {
        *p = 1;
        last = p;
        n++;
    }
    CHECK_EQ(errno, ENOMEM);
    CHECK(n > 50 && n < 101);
    OK(munmap(last, 1 << 20));
    CHECK(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    void *b = (void *)SYS(brk, 0);
    CHECK((void *)SYS(brk, (char *)b + (50 << 20)) == b);
}
TEST(data_limit) {
    struct rlimit l = {16 << 20, 16 << 20};
    OK(setrlimit(RLIMIT_DATA, &l));
    char *b = (void *)SYS(brk, 0);
    CHECK((char *)SYS(brk, b + (1 << 20)) == b + (1 << 20));
    CHECK((char *)SYS(brk, b + (32 << 20)) == b + (1 << 20));
}
TEST(death_by_every_signal) {
    for (int s = 1; s <= 64; s++) {
        if (s == SIGCHLD || s == SIGCONT || s == SIGURG || s == SIGWINCH || s == 32 || s == 33) continue;
        if (s == SIGSTOP || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU) continue;
        CHECK_KILLED(CHILD(struct rlimit c = {0}; setrlimit(RLIMIT_CORE, &c); kill(getpid(), s); pause()), s);
    }
}
TEST(sleeping_ones_die_too) {
    int p[2];
    char b;
    OK(pipe(p));
    pid_t reader = CHILD(read(p[0], &b, 1)), sleeper = CHILD(sleep_ms(100000)), spinner = CHILD(volatile long n = 0; for (;;) n++), waiter = CHILD(waitpid(CHILD(pause()), NULL, 0));
    sleep_ms(20);
    OK(kill(reader, SIGKILL));
    OK(kill(sleeper, SIGTERM));
    OK(kill(spinner, SIGKILL));
    OK(kill(waiter, SIGKILL));
    CHECK_KILLED(reader, SIGKILL);
    CHECK_KILLED(sleeper, SIGTERM);
    CHECK_KILLED(spinner, SIGKILL);
    CHECK_KILLED(waiter, SIGKILL);
}
TEST(queued_signals_have_a_limit) {
    struct rlimit l = {10, 10};
    OK(setrlimit(RLIMIT_SIGPENDING, &l));
    sigset_t m;
    sigfillset(&m);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    union sigval v = {0};
    int n = 0;
    while (n < 1000 && sigqueue(getpid(), SIGRTMIN, v) == 0) n++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(n <= 10);
    // A plain signal is told nevertheless.
    OK(kill(getpid(), SIGUSR1));
    sigset_t p;
    OK(sigpending(&p));
    CHECK(sigismember(&p, SIGUSR1));
}
TEST(a_storm_of_signals) {
    pid_t pid = CHILD(signal(SIGUSR1, SIG_IGN); volatile long n = 0; double until = seconds() + 0.2; while (seconds() < until) n++);
    for (int i = 0; i < 2000; i++)
        if (kill(pid, SIGUSR1) < 0) break;
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
}
TEST(fork_and_die_quickly) {
    for (int i = 0; i < 50; i++) {
        pid_t pid = CHILD(for (;;) getppid());
        OK(kill(pid, SIGKILL));
        CHECK_KILLED(pid, SIGKILL);
    }
}
