// SPDX-License-Identifier: Apache-2.0
// syscalls: timer_create timer_settime timer_gettime timer_getoverrun timer_delete setitimer getitimer alarm
// Timers that signal.
#include "../guest.h"
#include <sys/time.h>

static volatile sig_atomic_t count;
static volatile siginfo_t last;
static void on_info(int s, siginfo_t *i, void *c) {
    (void)s, (void)c;
    count++;
    last = *i;
}
static void handle(int s) {
    struct sigaction a = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    OK(sigaction(s, &a, NULL));
}
static void wait_count(int n) {
    for (int i = 0; i < 2000 && count < n; i++) sleep_ms(1);
    CHECK(count >= n);
}

TEST(alarm_clock) {
    handle(SIGALRM);
    CHECK_EQ(SYS(alarm, 100), 0);
    unsigned left = SYS(alarm, 0);
    CHECK(left == 100 || left == 99);
    CHECK_EQ(alarm(0), 0);
    CHECK_EQ(count, 0);
}
TEST(alarm_fires) {
    double begin = seconds();
    handle(SIGALRM);
    CHECK_EQ(alarm(1), 0);
    pause();
    CHECK_EQ(count, 1);
    CHECK(seconds() - begin > 0.9);
}
TEST(real_interval) {
    struct itimerval t = {{0, 5000}, {0, 5000}}, now, zero = {0};
    handle(SIGALRM);
    OK(setitimer(ITIMER_REAL, &t, NULL));
    wait_count(3);
    OK(getitimer(ITIMER_REAL, &now));
    CHECK_EQ(now.it_interval.tv_usec, 5000);
    CHECK(now.it_value.tv_usec <= 5000);
    OK(setitimer(ITIMER_REAL, &zero, &now));
    CHECK_EQ(now.it_interval.tv_usec, 5000);
    int n = count;
    sleep_ms(20);
    CHECK_EQ(count, n);
}
TEST(cpu_intervals) {
    struct itimerval t = {{0, 0}, {0, 10000}};
    handle(SIGVTALRM);
    handle(SIGPROF);
    OK(setitimer(ITIMER_VIRTUAL, &t, NULL));
    double until = seconds() + 1.5;
    volatile long n = 0;
    while (!count && seconds() < until) n++;
    CHECK_EQ(last.si_signo, SIGVTALRM);
    count = 0;
    OK(setitimer(ITIMER_PROF, &t, NULL));
    until = seconds() + 1.5;
    while (!count && seconds() < until) getppid();
    CHECK_EQ(last.si_signo, SIGPROF);
}
TEST(interval_refusals) {
    struct itimerval t = {{0, 0}, {0, 1000000}};
    CHECK_ERR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
    t.it_value.tv_usec = 0;
    CHECK_ERR(setitimer(7, &t, NULL), EINVAL);
    CHECK_ERR(getitimer(7, &t), EINVAL);
    CHECK_ERR(SYS(getitimer, ITIMER_REAL, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(setitimer, ITIMER_REAL, BAD_POINTER, NULL), EFAULT);
}
TEST(timers_over_fork_and_exec) {
    struct itimerval t = {{0, 0}, {50, 0}}, now;
    OK(setitimer(ITIMER_REAL, &t, NULL));
    CHECK_EXIT(CHILD(OK(getitimer(ITIMER_REAL, &now)); CHECK_EQ(now.it_value.tv_sec, 0)), 0);
    OK(getitimer(ITIMER_REAL, &now));
    CHECK(now.it_value.tv_sec >= 49);
}
TEST(posix_timer) {
    handle(SIGRTMIN);
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 1234};
    timer_t id;
    struct itimerspec t = {{0, 0}, {0, 10000000}}, now;
    OK(timer_create(CLOCK_MONOTONIC, &e, &id));
    OK(timer_gettime(id, &now));
    CHECK_EQ(now.it_value.tv_nsec, 0);
    OK(timer_settime(id, 0, &t, NULL));
    OK(timer_gettime(id, &now));
    CHECK(now.it_value.tv_nsec > 0);
    wait_count(1);
    CHECK_EQ(last.si_code, SI_TIMER);
    CHECK_EQ(last.si_value.sival_int, 1234);
    CHECK_EQ(timer_getoverrun(id), 0);
    OK(timer_delete(id));
    CHECK_ERR(SYS(timer_gettime, 999, &now), EINVAL);
}
TEST(overrun) {
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGRTMIN);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    timer_t id;
    struct itimerspec t = {{0, 2000000}, {0, 2000000}};
    OK(timer_create(CLOCK_MONOTONIC, &e, &id));
    OK(timer_settime(id, 0, &t, NULL));
    sleep_ms(50);
    siginfo_t i;
    CHECK_EQ(sigwaitinfo(&m, &i), SIGRTMIN);
    CHECK(i.si_overrun >= 5);
    CHECK(timer_getoverrun(id) >= 5);
}
TEST(default_notification) {
    handle(SIGALRM);
    timer_t id;
    struct itimerspec t = {{0, 0}, {0, 1000000}};
    OK(timer_create(CLOCK_REALTIME, NULL, &id));
    OK(timer_settime(id, 0, &t, NULL));
    wait_count(1);
    CHECK_EQ(last.si_code, SI_TIMER);
}
TEST(absolute) {
    handle(SIGALRM);
    timer_t id;
    struct itimerspec t = {0}, old;
    OK(timer_create(CLOCK_MONOTONIC, NULL, &id));
    OK(clock_gettime(CLOCK_MONOTONIC, &t.it_value));
    OK(timer_settime(id, TIMER_ABSTIME, &t, &old));
    wait_count(1);
}
TEST(silent) {
    struct sigevent e = {.sigev_notify = SIGEV_NONE};
    timer_t id;
    struct itimerspec t = {{0, 0}, {0, 5000000}}, now;
    OK(timer_create(CLOCK_MONOTONIC, &e, &id));
    OK(timer_settime(id, 0, &t, NULL));
    sleep_ms(15);
    OK(timer_gettime(id, &now));
    CHECK_EQ(now.it_value.tv_sec | now.it_value.tv_nsec, 0);
}
TEST(to_a_thread) {
    handle(SIGUSR1);
    struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    e._sigev_un._tid = SYS(gettid);
    int id;
    struct itimerspec t = {{0, 0}, {0, 1000000}};
    OK(SYS(timer_create, CLOCK_MONOTONIC, &e, &id));
    OK(SYS(timer_settime, id, 0, &t, NULL));
    wait_count(1);
    e._sigev_un._tid = 1;
    CHECK_ERR(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
}
TEST(posix_refusals) {
    struct sigevent e = {.sigev_notify = 77};
    int id;
    struct itimerspec t = {{0, 0}, {0, 1000000000}};
    CHECK_ERR(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    e = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    CHECK_ERR(SYS(timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    CHECK_ERR(SYS(timer_create, 99, NULL, &id), EINVAL);
    CHECK_ERR(SYS(timer_create, CLOCK_MONOTONIC, NULL, BAD_POINTER), EFAULT);
    OK(SYS(timer_create, CLOCK_MONOTONIC, NULL, &id));
    CHECK_ERR(SYS(timer_settime, id, 0, &t, NULL), EINVAL);
    CHECK_ERR(SYS(timer_settime, id, 0, NULL, NULL), EINVAL);
    CHECK_ERR(SYS(timer_settime, 99, 0, &t, NULL), EINVAL);
    CHECK_ERR(SYS(timer_getoverrun, 99), EINVAL);
    CHECK_ERR(SYS(timer_delete, 99), EINVAL);
    OK(SYS(timer_delete, id));
    CHECK_ERR(SYS(timer_delete, id), EINVAL);
}
