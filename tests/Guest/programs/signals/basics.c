// SPDX-License-Identifier: Apache-2.0
// syscalls: rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigreturn kill tkill tgkill pause
// Sending, blocking, waiting for and handling signals.
// cflags: -pthread
#include "../guest.h"
#include <pthread.h>

static volatile sig_atomic_t caught, count;
static void on_signal(int s) {
    caught = s;
    count++;
}
static void handle(int s, int flags) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};
    OK(sigaction(s, &a, NULL));
}
static sigset_t set_of(int a) {
    sigset_t s;
    sigemptyset(&s);
    if (a) sigaddset(&s, a);
    return s;
}
static void block(int s) {
    sigset_t m = set_of(s);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
}

TEST(a_handler_runs) {
    handle(SIGUSR1, 0);
    OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(caught, SIGUSR1);
    OK(SYS(tkill, SYS(gettid), SIGUSR1));
    OK(SYS(tgkill, getpid(), SYS(gettid), SIGUSR1));
    CHECK_EQ(count, 3);
}
TEST(default_actions) {
    static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE,
                                SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS};
    for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) CHECK_KILLED(CHILD(kill(getpid(), fatal[i])), fatal[i]);
    for (int s = SIGRTMIN; s <= SIGRTMAX; s += 10) CHECK_KILLED(CHILD(kill(getpid(), s)), s);
    static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++) CHECK_EXIT(CHILD(kill(getpid(), harmless[i])), 0);
}
TEST(core_flag) {
    int status;
    pid_t pid = CHILD(struct { long a, b; } l = {0, 0}; SYS(setrlimit, 4 /* RLIMIT_CORE */, &l); kill(getpid(), SIGSEGV));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
}
TEST(ignored) {
    signal(SIGTERM, SIG_IGN);
    OK(kill(getpid(), SIGTERM));
    // A pending signal that becomes ignored is dropped.
    block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    sigset_t p;
    OK(sigpending(&p));
    CHECK(!sigismember(&p, SIGUSR1));
}
TEST(blocked_signals_wait) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(count, 0);
    sigset_t p, m = set_of(SIGUSR1), old;
    OK(sigpending(&p));
    CHECK(sigismember(&p, SIGUSR1));
    CHECK(!sigismember(&p, SIGUSR2));
    OK(sigprocmask(SIG_UNBLOCK, &m, &old));
    // A standard signal waits once.
    CHECK_EQ(count, 1);
    CHECK(sigismember(&old, SIGUSR1));
}
TEST(kill_and_stop_cannot_be_blocked) {
    sigset_t all, now;
    sigfillset(&all);
    OK(sigprocmask(SIG_SETMASK, &all, NULL));
    OK(sigprocmask(SIG_SETMASK, NULL, &now));
    CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP) && sigismember(&now, SIGTERM));
    struct sigaction a = {.sa_handler = on_signal};
    CHECK_ERR(sigaction(SIGKILL, &a, NULL), EINVAL);
    CHECK_ERR(sigaction(SIGSTOP, &a, NULL), EINVAL);
    CHECK_ERR(SYS(rt_sigaction, 65, &a, NULL, 8), EINVAL);
    CHECK_ERR(SYS(rt_sigaction, 0, &a, NULL, 8), EINVAL);
    CHECK_ERR(SYS(rt_sigaction, SIGUSR1, &a, NULL, 4), EINVAL);
    CHECK_ERR(SYS(rt_sigaction, SIGUSR1, BAD_POINTER, NULL, 8), EFAULT);
    CHECK_ERR(SYS(rt_sigprocmask, 99, &all, NULL, 8), EINVAL);
    CHECK_ERR(SYS(rt_sigprocmask, 0, &all, NULL, 16), EINVAL);
    CHECK_ERR(SYS(rt_sigprocmask, 0, BAD_POINTER, NULL, 8), EFAULT);
    CHECK_ERR(SYS(rt_sigpending, BAD_POINTER, 8), EFAULT);
    CHECK_KILLED(CHILD(kill(getpid(), SIGKILL)), SIGKILL);
}
static volatile sig_atomic_t depth, deepest, entered;
static void nesting(int s) {
    depth++;
    if (depth > deepest) deepest = depth;
    if (++entered < 3) raise(s);
    depth--;
}
TEST(masked_while_handled) {
    struct sigaction a = {.sa_handler = nesting};
    OK(sigaction(SIGUSR1, &a, NULL));
    // Masked: each comes after the one before has returned, never nested.
    OK(raise(SIGUSR1));
    CHECK_EQ(entered, 3);
    CHECK_EQ(deepest, 1);
    a.sa_flags = SA_NODEFER;
    OK(sigaction(SIGUSR1, &a, NULL));
    entered = 0;
    OK(raise(SIGUSR1));
    CHECK_EQ(deepest, 3);
}
static volatile sig_atomic_t order[4], at;
static void record(int s) { order[at++] = s; }
static void record_and_raise(int s) {
    order[at++] = s;
    raise(SIGUSR2);
    order[at++] = s;
}
TEST(the_handlers_mask) {
    struct sigaction a = {.sa_handler = record_and_raise}, b = {.sa_handler = record};
    sigaddset(&a.sa_mask, SIGUSR2);
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(sigaction(SIGUSR2, &b, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(order[0], SIGUSR1);
    CHECK_EQ(order[1], SIGUSR1);
    CHECK_EQ(order[2], SIGUSR2);
}
TEST(handlers_nest) {
    struct sigaction a = {.sa_handler = record_and_raise}, b = {.sa_handler = record};
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(sigaction(SIGUSR2, &b, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(order[0], SIGUSR1);
    CHECK_EQ(order[1], SIGUSR2);
    CHECK_EQ(order[2], SIGUSR1);
}
TEST(one_shot_handlers) {
    handle(SIGUSR1, SA_RESETHAND);
    OK(raise(SIGUSR1));
    CHECK_EQ(count, 1);
    struct sigaction now;
    OK(sigaction(SIGUSR1, NULL, &now));
    CHECK(now.sa_handler == SIG_DFL);
    CHECK_KILLED(CHILD(raise(SIGUSR1)), SIGUSR1);
}
TEST(what_was_set_is_given_back) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER}, b;
    sigaddset(&a.sa_mask, SIGHUP);
    OK(sigaction(SIGUSR1, &a, NULL));
    OK(sigaction(SIGUSR1, NULL, &b));
    CHECK(b.sa_handler == on_signal);
    CHECK_EQ(b.sa_flags & (SA_RESTART | SA_NODEFER | SA_RESETHAND), SA_RESTART | SA_NODEFER);
    CHECK(sigismember(&b.sa_mask, SIGHUP));
}
TEST(interrupted_calls_restart) {
    int p[2];
    char b;
    OK(pipe(p));
    handle(SIGALRM, SA_RESTART);
    pid_t child = CHILD(sleep_ms(50); write(p[1], "x", 1));
    ualarm(10000, 0);
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(caught, SIGALRM);
    CHECK_EXIT(child, 0);
    handle(SIGALRM, 0);
    ualarm(10000, 0);
    CHECK_ERR(read(p[0], &b, 1), EINTR);
}
TEST(calls_that_never_restart) {
    handle(SIGALRM, SA_RESTART);
    ualarm(10000, 0);
    CHECK_ERR(pause(), EINTR);
    struct timespec t = {5, 0}, left;
    ualarm(10000, 0);
    CHECK_ERR(nanosleep(&t, &left), EINTR);
    CHECK_EQ(left.tv_sec, 4);
}
TEST(waitpid_is_interrupted) {
    pid_t child = CHILD(for (;;) pause());
    handle(SIGALRM, 0);
    ualarm(10000, 0);
    int status;
    CHECK_ERR(waitpid(child, &status, 0), EINTR);
    OK(kill(child, SIGKILL));
    CHECK_KILLED(child, SIGKILL);
}
TEST(suspend) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    OK(raise(SIGUSR1));
    sigset_t none = set_of(0), now;
    CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK_EQ(caught, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, NULL, &now));
    CHECK(sigismember(&now, SIGUSR1));
    CHECK_ERR(SYS(rt_sigsuspend, &none, 4), EINVAL);
    CHECK_ERR(SYS(rt_sigsuspend, BAD_POINTER, 8), EFAULT);
}
TEST(wait_for_a_signal) {
    block(SIGUSR1);
    sigset_t s = set_of(SIGUSR1);
    siginfo_t i;
    struct timespec t = {0, 20000000};
    double begin = seconds();
    CHECK_ERR(sigtimedwait(&s, &i, &t), EAGAIN);
    CHECK(seconds() - begin >= 0.019);
    pid_t parent = getpid(), child = CHILD(sleep_ms(10); kill(parent, SIGUSR1));
    CHECK_EQ(sigwaitinfo(&s, &i), SIGUSR1);
    CHECK_EQ(i.si_pid, child);
    CHECK_EQ(i.si_code, SI_USER);
    CHECK_EXIT(child, 0);
    t.tv_nsec = 2000000000;
    CHECK_ERR(sigtimedwait(&s, &i, &t), EINVAL);
    CHECK_ERR(SYS(rt_sigtimedwait, &s, &i, &t, 4), EINVAL);
    CHECK_ERR(SYS(rt_sigtimedwait, BAD_POINTER, &i, NULL, 8), EFAULT);
}
TEST(waiting_is_interrupted_by_another) {
    handle(SIGALRM, SA_RESTART);
    sigset_t s = set_of(SIGUSR1);
    block(SIGUSR1);
    ualarm(10000, 0);
    siginfo_t i;
    CHECK_ERR(sigwaitinfo(&s, &i), EINTR);
}
TEST(kill_targets) {
    OK(kill(getpid(), 0));
    CHECK_ERR(kill(999999, 0), ESRCH);
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(getpid(), -1), EINVAL);
    CHECK_ERR(kill(-999999, SIGTERM), ESRCH);
    CHECK_ERR(SYS(tkill, 999999, 0), ESRCH);
    CHECK_ERR(SYS(tkill, -1, 0), EINVAL);
    CHECK_ERR(SYS(tgkill, 0, 1, 0), EINVAL);
    CHECK_ERR(SYS(tgkill, 1, SYS(gettid), 0), ESRCH);
    pid_t a = CHILD(setpgid(0, 0); for (;;) pause());
    setpgid(a, a);
    OK(kill(-a, SIGTERM));
    CHECK_KILLED(a, SIGTERM);
    // The caller's own group.
    CHECK_EXIT(CHILD(setpgid(0, 0); signal(SIGUSR1, SIG_IGN); pid_t c = fork(); if (c == 0) { signal(SIGUSR1, SIG_DFL); for (;;) pause(); }
                     sleep_ms(20); OK(kill(0, SIGUSR1)); CHECK_KILLED(c, SIGUSR1)), 0);
}
TEST(permission) {
    if (geteuid() != 0) SKIP("needs root");
    pid_t target = CHILD(for (;;) pause());
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(kill(target, SIGTERM), EPERM); CHECK_ERR(kill(target, 0), EPERM)), 0);
    OK(kill(target, SIGKILL));
    CHECK_KILLED(target, SIGKILL);
}
static pthread_t handled_by;
static void note_thread(int s) {
    caught = s;
    handled_by = pthread_self();
}
static void *sleeper(void *a) {
    for (;;) {
        sleep_ms(1000);
    }
    return a;
}
TEST(one_threads_signal) {
    struct sigaction a = {.sa_handler = note_thread};
    OK(sigaction(SIGUSR1, &a, NULL));
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, sleeper, NULL), 0);
    sleep_ms(10);
    CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
    while (!caught) sleep_ms(1);
    CHECK(pthread_equal(handled_by, t));
}
TEST(a_process_signal_finds_an_open_thread) {
    struct sigaction a = {.sa_handler = note_thread};
    OK(sigaction(SIGUSR1, &a, NULL));
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, sleeper, NULL), 0);
    sleep_ms(10);
    block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    for (int i = 0; i < 1000 && !caught; i++) sleep_ms(1);
    CHECK(pthread_equal(handled_by, t));
}
TEST(the_mask_over_fork) {
    block(SIGUSR1);
    OK(raise(SIGUSR1));
    // The mask is inherited, what is pending is not.
    CHECK_EXIT(CHILD(sigset_t m, p; sigprocmask(SIG_BLOCK, NULL, &m); sigpending(&p); CHECK(sigismember(&m, SIGUSR1)); CHECK(!sigismember(&p, SIGUSR1))), 0);
}
TEST(stop_and_continue) {
    pid_t pid = CHILD(handle(SIGCONT, 0); while (!caught) pause(); _exit(count));
    int status;
    sleep_ms(10);
    OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    // Signals other than KILL and CONT wait while it is stopped.
    OK(kill(pid, SIGCONT));
    CHECK_EXIT(pid, 1);
    pid = CHILD(for (;;) pause());
    OK(kill(pid, SIGTSTP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(WSTOPSIG(status), SIGTSTP);
    OK(kill(pid, SIGTERM));
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    OK(kill(pid, SIGCONT));
    CHECK_KILLED(pid, SIGTERM);
    pid = CHILD(raise(SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(child_signal_on_stop) {
    handle(SIGCHLD, 0);
    pid_t pid = CHILD(raise(SIGSTOP); _exit(0));
    int status;
    while (waitpid(pid, &status, WUNTRACED) < 0) CHECK_EQ(errno, EINTR);
    CHECK_EQ(count, 1);
    handle(SIGCHLD, SA_NOCLDSTOP);
    OK(kill(pid, SIGCONT));
    while (waitpid(pid, &status, 0) < 0) CHECK_EQ(errno, EINTR);
    CHECK(count >= 2);
}
