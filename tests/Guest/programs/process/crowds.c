// SPDX-License-Identifier: Apache-2.0
// syscalls: futex clone fork execve kill tgkill ptrace
// cflags: -pthread
// Many threads at once, and processes that end, fork or become another program in the middle of things.
#include "../guest.h"
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ptrace.h>

enum { crowd = 500 };
static sem_t up;
static int word, ends[2];
static volatile int hits;

static void *on_futex(void *a) {
    sem_post(&up);
    while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST)) SYS(futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
    return a;
}
static void *on_read(void *a) {
    char c;
    sem_post(&up);
    CHECK_EQ(read(ends[0], &c, 1), 1);
    return a;
}
static void *on_pause(void *a) {
    sem_post(&up);
    for (;;) pause();
    return a;
}
static void *on_processor(void *a) {
    for (;;) SYS(getppid);
    return a;
}
static void *on_forks(void *a) {
    for (int i = 0; i < 10; i++) CHECK_EXIT(CHILD(_exit(7)), 7);
    return a;
}
static void start(pthread_t *t, int n, void *(*body)(void *)) {
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    for (int i = 0; i < n; i++) CHECK_EQ(pthread_create(t + i, &a, body, NULL), 0);
}
static void await(int n) {
    while (n-- > 0) sem_wait(&up);
}
static void join(pthread_t *t, int n) {
    for (int i = 0; i < n; i++) pthread_join(t[i], NULL);
}
TEST(a_crowd_on_a_futex) {
    static pthread_t t[crowd];
    sem_init(&up, 0, 0);
    start(t, crowd, on_futex);
    await(crowd);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    OK(SYS(futex, &word, FUTEX_WAKE, crowd, NULL, NULL, 0));
    join(t, crowd);
}
TEST(a_crowd_at_a_pipe) {
    static pthread_t t[crowd];
    sem_init(&up, 0, 0);
    OK(pipe(ends));
    start(t, crowd, on_read);
    await(crowd);
    for (int i = 0; i < crowd; i++) CHECK_EQ(write(ends[1], "x", 1), 1);
    join(t, crowd);
}
TEST(a_crowd_that_ends_at_once) {
    static pthread_t t[crowd];
    sem_init(&up, 0, 0);
    CHECK_EXIT(CHILD(start(t, crowd, on_pause); _exit(4)), 4);
}
static void hit(int s) {
    (void)s;
    __atomic_add_fetch(&hits, 1, __ATOMIC_SEQ_CST);
}
TEST(signals_to_a_crowd) {
    enum { n = 200 };
    static pthread_t t[n];
    sem_init(&up, 0, 0);
    signal(SIGUSR1, hit);
    start(t, n, on_futex);
    await(n);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n; i++) CHECK_EQ(pthread_kill(t[i], SIGUSR1), 0);
    for (int i = 0; i < 2000 && hits < n; i++) sleep_ms(1);
    CHECK(hits >= n);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    OK(SYS(futex, &word, FUTEX_WAKE, n, NULL, NULL, 0));
    join(t, n);
}
__attribute__((constructor(101))) static void target(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "target")) _exit(42);
}
static void *becomes_another(void *a) {
    execl("/proc/self/exe", "crowds", "target", (char *)NULL);
    _exit(9);
    return a;
}
TEST(another_program_in_the_middle) {
    for (int i = 0; i < 20; i++) {
        CHECK_EXIT(CHILD(
            pthread_t t[13];
            sem_init(&up, 0, 0);
            start(t, 2, on_processor);
            start(t + 2, 10, on_pause);
            if (i & 1) becomes_another(NULL);
            start(t + 12, 1, becomes_another);
            for (;;) pause()), 42);
    }
}
TEST(forks_from_many_threads) {
    pthread_t t[8];
    start(t, 8, on_forks);
    join(t, 8);
}
TEST(killed_while_running) {
    for (int i = 0; i < 20; i++) {
        pid_t pid = CHILD(
            pthread_t t[7];
            sem_init(&up, 0, 0);
            start(t, 2, on_processor);
            start(t + 2, 5, on_pause);
            for (;;) pause());
        sleep_ms(i / 4);
        OK(kill(pid, SIGKILL));
        CHECK_KILLED(pid, SIGKILL);
    }
}
TEST(tracers_and_tracees_that_die) {
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t tracee = CHILD(on_processor(NULL));
        pid_t tracer = CHILD(
            if (ptrace(PTRACE_SEIZE, tracee, 0, i & 1 ? PTRACE_O_EXITKILL : 0) < 0) _exit(0); // dead already
            ptrace(PTRACE_INTERRUPT, tracee, 0, 0);
            while (waitpid(tracee, &status, __WALL) == tracee && WIFSTOPPED(status)) ptrace(PTRACE_SYSCALL, tracee, 0, 0));
        sleep_ms(3);
        OK(kill(i % 3 ? tracer : tracee, SIGKILL));
        CHECK_EQ(waitpid(tracer, &status, 0), tracer);
        kill(tracee, SIGKILL);
        // A tracer that dies while its tracee stands in a system call stop leaves it the stop's SIGTRAP.
        CHECK_EQ(waitpid(tracee, &status, 0), tracee);
        CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTRAP));
    }
}
TEST(attached_over_and_over) {
    int status;
    pid_t pid = CHILD(on_processor(NULL));
    for (int i = 0; i < 100; i++) {
        OK(ptrace(PTRACE_ATTACH, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, __WALL), pid);
        OK(ptrace(PTRACE_DETACH, pid, 0, 0));
    }
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
